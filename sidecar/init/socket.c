#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel.h"

enum { PROTOCOL_MPTCP = 262, SOCKET_LINK = 48 };

static const struct {
    const char *name;
    uint16_t type, protocol;
} protocols[] = {
    {"TCP", SOCK_STREAM, IPPROTO_TCP},  {"TCPv6", SOCK_STREAM, IPPROTO_TCP},
    {"UDP", SOCK_DGRAM, IPPROTO_UDP},   {"UDPv6", SOCK_DGRAM, IPPROTO_UDP},
    {"PING", SOCK_DGRAM, IPPROTO_ICMP}, {"PINGv6", SOCK_DGRAM, IPPROTO_ICMPV6},
    {"RAW", SOCK_RAW, 0},               {"RAWv6", SOCK_RAW, 0},
    {"MPTCP", SOCK_STREAM, PROTOCOL_MPTCP}, {"MPTCPv6", SOCK_STREAM, PROTOCOL_MPTCP},
    {"SCTP", SOCK_STREAM, IPPROTO_SCTP}, {"SCTPv6", SOCK_STREAM, IPPROTO_SCTP},
    {"UNIX-STREAM", SOCK_STREAM, 0},    {"PACKET", SOCK_RAW, 0},
};

void socket_protocol(const char *name, struct inscope_address *body) {
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(name, protocols[i].name) == 0) {
            body->type = protocols[i].type;
            body->protocol = protocols[i].protocol;
        }
}

static void path_of(pid_t tid, int descriptor, char out[SOCKET_LINK]) {
    snprintf(out, SOCKET_LINK, "/proc/%d/fd/%d", tid, descriptor);
}

/* The socket's own attribute names its protocol: no right to attach is needed (lsof does the same). */
void socket_read_protocol(pid_t tid, int descriptor, struct inscope_address *body) {
    char path[SOCKET_LINK], name[32];
    path_of(tid, descriptor, path);
    ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof name - 1);
    if (n <= 0)
        return;
    name[n] = 0;
    socket_protocol(name, body);
}

bool socket_read_inode(pid_t tid, int descriptor, struct inscope_address *body) {
    char path[SOCKET_LINK];
    struct stat st;
    path_of(tid, descriptor, path);
    if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    body->socket = st.st_ino;
    return true;
}

bool socket_is_missing(pid_t tid, int descriptor) {
    char path[SOCKET_LINK];
    struct stat st;
    path_of(tid, descriptor, path);
    return lstat(path, &st) < 0 && errno == ENOENT;
}

static void fill(struct inscope_address *body, const void *bytes, size_t size) {
    if (size > sizeof body->address)
        size = sizeof body->address;
    body->length = (uint16_t)size;
    memcpy(body->address, bytes, size);
}

static void name_unix(const unsigned char *path, size_t size, struct inscope_address *body) {
    if (size == 0)
        return;
    fill(body, path, path[0] ? strnlen((const char *)path, size) : size);
    if (path[0] == 0)
        body->address[0] = '@';
}

void socket_name(const unsigned char *raw, size_t size, struct inscope_address *body) {
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    sa_family_t family;
    if (size < sizeof family)
        return;
    memcpy(&family, raw, sizeof family);
    body->family = family;
    if (family == AF_INET && size >= 8) { /* the kernel wants 16, the last 8 are padding */
        memset(&in, 0, sizeof in);
        memcpy(&in, raw, size < sizeof in ? size : sizeof in);
        body->port = ntohs(in.sin_port);
        fill(body, &in.sin_addr, sizeof in.sin_addr);
    } else if (family == AF_INET6 && size >= 24) { /* as old programs send it, without the scope */
        memset(&in6, 0, sizeof in6);
        memcpy(&in6, raw, size < sizeof in6 ? size : sizeof in6);
        body->port = ntohs(in6.sin6_port);
        fill(body, &in6.sin6_addr, sizeof in6.sin6_addr);
    } else if (family == AF_UNIX)
        name_unix(raw + sizeof family, size - sizeof family, body);
    else
        fill(body, raw, size);
}

bool socket_bound_at(int fd, struct inscope_address *body) {
    unsigned char raw[128];
    socklen_t size = sizeof raw;
    if (getsockname(fd, (struct sockaddr *)(void *)raw, &size) < 0)
        return false;
    socket_name(raw, size < sizeof raw ? size : sizeof raw, body);
    return true;
}

bool socket_bound(pid_t pid, int descriptor, struct inscope_address *body) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    if (process >= 0)
        close(process);
    if (fd < 0)
        return false;
    bool found = socket_bound_at(fd, body);
    close(fd);
    return found;
}
