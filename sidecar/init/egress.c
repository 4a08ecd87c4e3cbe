#define _GNU_SOURCE
#include "egress.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "counters.h"
#include "egress_reach.h"
#include "egress_unix.h"
#include "egress_wait.h"
#include "kernel.h"
#include "notify.h"
#include "own_listeners.h"
#include "payload.h"
#include "privilege.h"
#include "socket.h"
#include "stance.h"
#include "twin.h"

enum { ZEROCOPY = 0x4000000 }; /* init's copy is not the caller's memory */

bool egress_is_cut(int domain) {
    return stance() >= INSCOPE_QUARANTINES && domain != AF_UNIX && domain != AF_NETLINK;
}

static bool refused(struct plan *plan) {
    bool cut = egress_is_cut(plan->of.socket.domain);
    if (cut)
        plan_refuse(plan, ENETUNREACH);
    return cut;
}

static const struct sockaddr *address_of(const struct plan *plan) { return (const void *)plan->of.socket.address; }

static int result_of(long value) { return value < 0 ? -errno : (int)value; }

static bool blocks(const struct plan *plan) { return !(fcntl(plan->fd, F_GETFL) & O_NONBLOCK); }

/* Before the answer: a caller that closes the socket next must be the last to have it. */
void egress_finish(struct plan *plan, int64_t result) {
    bool broken = result == -EPIPE && plan->payload && !(plan->of.socket.number & MSG_NOSIGNAL);
    twin_settle(plan->of.socket.inode);
    plan_drop(plan);
    if (plan_answer(plan, result) && broken)
        syscall(SYS_tgkill, plan->who.pid, plan->who.tid, SIGPIPE);
}

static int connect_path(const struct plan *plan) {
    int file = egress_unix_open(plan);
    if (file < 0)
        return file;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d", file);
    int result = result_of(connect(plan->fd, (struct sockaddr *)(void *)&to, sizeof to));
    close(file);
    return result;
}

static int connect_once(const struct plan *plan) {
    if (plan->of.socket.domain == AF_UNIX && egress_unix_is_path(plan))
        return connect_path(plan);
    return result_of(connect(plan->fd, address_of(plan), plan->of.socket.length));
}

/* The flag is the caller's too, since both have the same open socket: it is put back at once, and no two threads of init
 * take each other's for the caller's. */
static int connect_without_waiting(const struct plan *plan, bool *waits) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    int flags = fcntl(plan->fd, F_GETFL);
    *waits = !(flags & O_NONBLOCK);
    if (*waits)
        fcntl(plan->fd, F_SETFL, flags | O_NONBLOCK);
    int result = connect_once(plan);
    if (*waits && result == -EINPROGRESS) /* on one's own machine it is done by now */
        result = connect_once(plan);
    if (*waits)
        fcntl(plan->fd, F_SETFL, fcntl(plan->fd, F_GETFL) & ~O_NONBLOCK);
    pthread_mutex_unlock(&lock);
    return result;
}

static int try_kernel(const struct plan *plan, bool *waits) {
    *waits = false;
    bool at_once = plan->of.socket.type == SOCK_DGRAM && plan->of.socket.domain != AF_UNIX;
    return at_once ? connect_once(plan) : connect_without_waiting(plan, waits);
}

static bool lost(const struct plan *plan) {
    struct inscope_address to = {.type = SOCK_STREAM, .protocol = IPPROTO_TCP};
    socket_name(plan->of.socket.address, plan->of.socket.length, &to);
    return own_listeners_lost(&to);
}

/* Judged as one to the agent's own listener: before and after it is connected nobody else may have the port. A listener that
 * is closed by then has taken what it was for. */
static int try_connect(const struct plan *plan, bool *waits) {
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    *waits = false;
    if (!plan->of.socket.own)
        return try_kernel(plan, waits);
    if (lost(plan))
        return -EACCES;
    int result = try_kernel(plan, waits);
    if (!lost(plan))
        return result;
    connect(plan->fd, &nowhere, sizeof nowhere);
    *waits = false;
    return -EACCES;
}

int egress_connect_now(const struct plan *plan) {
    bool waits;
    return try_connect(plan, &waits);
}

static enum waiting what_for(int result, int domain) {
    if (domain == AF_UNIX)
        return result == -EAGAIN ? WAITING_AGAIN : WAITING_NOT;
    return result == -EINPROGRESS || result == -EALREADY ? WAITING_CONNECT : WAITING_NOT;
}

void egress_connect(struct plan *plan) {
    bool waits;
    if (refused(plan))
        return;
    int result = try_connect(plan, &waits);
    enum waiting what = waits ? what_for(result, plan->of.socket.domain) : WAITING_NOT;
    if (what != WAITING_NOT && egress_wait(plan, what))
        return;
    if (result == -EINPROGRESS && egress_reaches_by_twins())
        egress_wait_twin(plan->of.socket.inode);
    egress_finish(plan, what == WAITING_NOT ? result : -ENOBUFS);
}

/* Where init made the socket, one that the agent has closed may still be open here, and have the address. */
static void bind_again(struct plan *plan, bool swept) {
    int result = result_of(bind(plan->fd, address_of(plan), plan->of.socket.length));
    if (result == -EADDRINUSE && !swept && egress_reaches_by_twins() && egress_wait(plan, WAITING_SWEPT))
        return;
    egress_finish(plan, result);
}

void egress_bind(struct plan *plan) {
    if (refused(plan))
        return;
    if (privilege_binds(plan->who.tid, plan->of.socket.port))
        bind_again(plan, false);
    else
        egress_finish(plan, -EACCES);
}

/* What listens is never connected, and has to be closed when the agent closes it. */
void egress_listen(struct plan *plan) {
    if (refused(plan))
        return;
    int result = result_of(listen(plan->fd, plan->of.socket.number));
    if (result == 0) {
        own_listeners_add(plan->of.socket.inode);
        twin_drop(plan->of.socket.inode);
    }
    egress_finish(plan, result);
}

int egress_send_now(const struct plan *plan) {
    const struct payload *payload = plan->payload;
    int flags = (plan->of.socket.number & ~ZEROCOPY) | MSG_DONTWAIT | MSG_NOSIGNAL;
    return result_of(sendto(plan->fd, payload->bytes, payload->size, flags, address_of(plan), plan->of.socket.length));
}

void egress_send(struct plan *plan) {
    if (refused(plan))
        return;
    int result = egress_send_now(plan);
    bool waits = result == -EAGAIN && !(plan->of.socket.number & MSG_DONTWAIT) && blocks(plan);
    if (waits && egress_wait(plan, WAITING_ROOM))
        return;
    egress_finish(plan, waits ? -ENOBUFS : result);
}

/* Its number in the agent is the answer; an agent that can have no more files is told so. */
static void give(struct plan *plan, int fd, uint64_t inode) {
    struct seccomp_notif_addfd add = {.id = plan->id,
                                      .flags = SECCOMP_ADDFD_FLAG_SEND,
                                      .srcfd = (uint32_t)fd,
                                      .newfd_flags = plan->of.make.type & SOCK_CLOEXEC ? O_CLOEXEC : 0};
    int error = ioctl(notify_listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? errno : 0;
    if (error == 0) {
        twin_given(inode);
        return;
    }
    twin_drop(inode);
    plan_answer(plan, error == EMFILE || error == ENFILE || error == ENOMEM ? -error : -EACCES);
}

static void make(struct plan *plan, bool swept) {
    struct stat st;
    int fd = socket(plan->of.make.domain, plan->of.make.type | SOCK_CLOEXEC, plan->of.make.protocol);
    int error = fd < 0 || fstat(fd, &st) < 0 ? errno : 0;
    if (error == 0 && twin_keep(st.st_ino, fd)) {
        give(plan, fd, st.st_ino);
        egress_wait_sweep(twin_are_many());
        return;
    }
    if (fd >= 0)
        close(fd);
    bool full = error == 0 || error == EMFILE || error == ENFILE;
    if (full && !swept && egress_wait(plan, WAITING_SWEPT))
        return;
    plan_answer(plan, error ? -error : -ENFILE);
}

void egress_make(struct plan *plan) {
    if (egress_is_cut(plan->of.make.domain))
        plan_refuse(plan, EACCES);
    else if (process_shares_network(plan->who.tid))
        make(plan, false);
    else /* init cannot make it there, so it is the kernel's: no address of it will be let through */
        plan_let_go_on(plan);
}

void egress_retry(struct plan *plan) {
    if (plan->nr == __NR_socket)
        make(plan, true);
    else
        bind_again(plan, true);
}
