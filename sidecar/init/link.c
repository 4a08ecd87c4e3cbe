#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <sys/socket.h>

bool link_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0; }

void link_send(int fd, enum link_kind kind, int value) {
    struct link_message message = {kind, value};
    if (fd >= 0)
        send(fd, &message, sizeof message, MSG_NOSIGNAL);
}

bool link_receive(int fd, struct link_message *out) {
    ssize_t n;
    while ((n = recv(fd, out, sizeof *out, 0)) < 0 && errno == EINTR)
        ;
    return n == sizeof *out;
}
