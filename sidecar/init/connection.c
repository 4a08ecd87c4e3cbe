#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "counters.h"
#include "guard.h"
#include "process.h"

enum { LAST_WORDS_MAX = 64, CROWDED_PAUSE_US = 5000 };

static int connection = -1;

static bool (*meanwhile)(void);

void connection_meanwhile(bool (*what)(void)) { meanwhile = what; }

static uint8_t received[INSCOPE_PACKET_MAX];

int connection_fd(void) { return connection; }

bool connection_wait(short events, int ms) {
    struct pollfd p = {.fd = connection, .events = events};
    return poll(&p, 1, ms) > 0;
}

/* Verdicts that it gave before it ended are verdicts. */
static void hear_last_words(void) {
    for (int i = 0; i < LAST_WORDS_MAX && connection_wait(POLLIN, 0) && meanwhile(); i++)
        ;
}

void connection_drop(void) {
    if (connection < 0)
        return;
    hear_last_words();
    close(connection);
    connection = -1;
    guard_set(GUARDED_SIDECAR, 0, 0);
}

/* The sidecar is guarded where it can be named; false: the agent itself listens there. */
static bool is_sidecar(int fd) {
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    if (known && process_descends(peer.pid))
        return false;
    if (known)
        guard_set(GUARDED_SIDECAR, peer.pid, peer.uid);
    return true;
}

bool connection_dial(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int room = 4 * INSCOPE_PACKET_MAX; /* a system's default may not hold one packet */
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection < 0)
        return false;
    setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (connect(connection, (struct sockaddr *)(void *)&address, sizeof address) == 0 && is_sidecar(connection))
        return true;
    connection_drop();
    return false;
}

bool connection_send(struct msghdr *packet) {
    for (;;) {
        if (sendmsg(connection, packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (errno == EAGAIN || errno == EINTR)
            connection_wait(POLLIN | POLLOUT, CONNECTION_WAIT_MS);
        else if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM) /* until the sidecar has read more */
            usleep(CROWDED_PAUSE_US);
        else
            return false;
        if (!meanwhile())
            return false;
    }
}

bool connection_send_message(struct message *m) {
    message_seal(m, atomic_load(&counters.lost_queue) + atomic_load(&counters.lost_away));
    struct iovec part = {m->bytes, m->size};
    return connection_send(&(struct msghdr){.msg_iov = &part, .msg_iovlen = 1});
}

bool connection_receive(bool (*take)(const struct incoming *message)) {
    ssize_t n = recv(connection, received, sizeof received, MSG_DONTWAIT);
    if (n < 0 && errno == ECONNRESET) /* told once, of a sidecar that ended without having read all; what it said follows */
        n = recv(connection, received, sizeof received, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    const uint8_t *at = received;
    size_t left = (size_t)n;
    struct incoming in;
    enum incoming_outcome outcome;
    while ((outcome = incoming_next(&at, &left, &in)) == INCOMING_MESSAGE)
        if (!take(&in))
            return false;
    return n > 0 && outcome == INCOMING_END;
}
