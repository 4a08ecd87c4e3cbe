#define _GNU_SOURCE
#include "egress_reach.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "socket.h"
#include "twin.h"

enum { PIDFD_OF_THREAD = O_EXCL }; /* PIDFD_THREAD, Linux 6.9 */

static bool by_twins;

void egress_reach_by_twins(void) { by_twins = true; }
bool egress_reaches_by_twins(void) { return by_twins; }

/* A thread may have a table of files of its own. Before Linux 6.9 only the leader's can be asked, so what is found there
 * has to be the same socket as the thread's. */
static int borrow(const struct process *who, int descriptor) {
    bool of_leader = false;
    int process = (int)syscall(SYS_pidfd_open, who->tid, PIDFD_OF_THREAD);
    if (process < 0 && errno == EINVAL) {
        of_leader = who->pid != who->tid;
        process = (int)syscall(SYS_pidfd_open, who->pid, 0);
    }
    if (process < 0)
        return -1;
    int fd = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0), error = errno;
    close(process);
    struct stat st;
    struct inscope_address own = {0};
    if (fd >= 0 && of_leader &&
        (fstat(fd, &st) < 0 || !socket_read_inode(who->tid, descriptor, &own) || own.socket != st.st_ino)) {
        close(fd);
        fd = -1;
        error = EPERM;
    }
    errno = error;
    return fd;
}

static struct reached failed(int error) { return (struct reached){.fd = -1, .error = error}; }

static uint16_t option(int fd, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    getsockopt(fd, SOL_SOCKET, name, &value, &size);
    return (uint16_t)value;
}

static struct reached looked_at(int fd, struct inscope_address *body) {
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        close(fd);
        return failed(ENOTSOCK);
    }
    body->socket = st.st_ino;
    body->type = option(fd, SO_TYPE);
    body->protocol = option(fd, SO_PROTOCOL);
    return (struct reached){.fd = fd, .domain = option(fd, SO_DOMAIN)};
}

static struct reached by_twin(const struct process *who, int descriptor, struct inscope_address *body) {
    if (!socket_read_inode(who->tid, descriptor, body))
        return failed(socket_is_missing(who->tid, descriptor) ? EBADF : ENOTSOCK);
    int fd = twin_own(body->socket);
    if (fd >= 0)
        return looked_at(fd, body);
    return failed(twin_was_connected(body->socket) ? EISCONN : EACCES);
}

struct reached egress_reach(const struct process *who, int descriptor, struct inscope_address *body) {
    int fd = by_twins ? -1 : borrow(who, descriptor);
    if (fd >= 0)
        return looked_at(fd, body);
    return !by_twins && errno == EBADF ? failed(EBADF) : by_twin(who, descriptor, body);
}
