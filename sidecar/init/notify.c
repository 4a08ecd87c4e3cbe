#define _GNU_SOURCE
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"
#include "filter.h"
#include "futex.h"
#include "inherited.h"
#include "recheck.h"
#include "stance.h"
#include "thread.h"
#include "watch.h"

enum { STOP_TRIES = 200, STOP_PAUSE_MS = 5, SETTLE_TRIES = 200, SETTLE_PAUSE_US = 1000 };

_Atomic int notify_listener = -1;

static _Atomic bool handling, stopping;
static _Atomic int stopped, thread;

/* The kernel writes its own size, which later kernels may enlarge. */
union notification {
    struct seccomp_notif call;
    unsigned char room[512];
};

static void decode_native(struct trap *t, const struct open_levels *levels) {
    const struct seccomp_data *call = &t->call->data;
    const __u64 *a = call->args;
    switch (decoder_of(call->nr)) {
    case DECODE_EXEC: decode_exec(t, AT_FDCWD, a[0], a[1]); break;
    case DECODE_EXECAT: decode_exec(t, (int)a[0], a[1], a[2]); break;
    case DECODE_MAP: decode_map(t); break;
    case DECODE_PROTECT: decode_protect(t); break;
    case DECODE_CODE: decode_code(t); break;
    case DECODE_CONNECT: decode_address(t, INSCOPE_CONNECT, (int)a[0], a[1], a[2]); break;
    case DECODE_SENDTO: decode_address(t, INSCOPE_CONNECT, (int)a[0], a[4], a[5]); break;
    case DECODE_BIND: decode_address(t, INSCOPE_BIND, (int)a[0], a[1], a[2]); break;
    case DECODE_SOCKET: decode_socket(t); break;
    case DECODE_FASTOPEN: decode_fast_open(t); break;
    case DECODE_LISTEN: decode_listen(t); break;
    case DECODE_OPEN: decode_open(t, levels, AT_FDCWD, a[0], a[1]); break;
    case DECODE_CREAT: decode_open(t, levels, AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC); break;
    case DECODE_OPENAT: decode_open(t, levels, (int)a[0], a[1], a[2]); break;
    case DECODE_OPENAT2: decode_openat2(t, levels); break;
    case DECODE_CALL: decode_call(t); break;
    case DECODE_AIMED: decode_aimed(t); break;
    case DECODE_REACH: decode_reach(t); break;
    case DECODE_CLONE3: decode_clone3(t); break;
    case DECODE_DENY: decode_deny(t); break;
    case DECODE_NONE: break;
    }
}

static bool foreign(const struct seccomp_data *call) {
    return call->arch != NATIVE_AUDIT_ARCH || ((uint32_t)call->nr & FOREIGN_NUMBER_BIT);
}

/* Opens are many, and looked at again where they count. */
static bool is_open(int nr) {
    enum decoder decoder = decoder_of(nr);
    return decoder == DECODE_OPEN || decoder == DECODE_OPENAT || decoder == DECODE_CREAT || decoder == DECODE_OPENAT2;
}

static void look_at_code(struct trap *t) {
    if (!stance_enforces())
        return;
    recheck_seen((pid_t)t->call->pid);
    if (!is_open(t->call->data.nr) && !recheck_now((pid_t)t->call->pid))
        trap_refuse(t, EACCES);
}

static void handle(const struct seccomp_notif *call, const struct open_levels *levels) {
    static struct message message;
    struct trap t = {.call = call, .listener = notify_listener, .now_ns = boottime_ns(), .message = &message};
    count(&counters.traps);
    look_at_code(&t);
    watch_settle(&t);
    if (!t.answered && foreign(&call->data))
        decode_foreign(&t);
    else if (!t.answered)
        decode_native(&t, levels);
    /* No path through a decoder may leave a caller waiting, or, where it is enforced, let it through. */
    if (stance_enforces())
        trap_refuse(&t, EACCES);
    else
        trap_pass(&t);
}

bool notify_nobody_left(void) {
    struct pollfd p = {.fd = notify_listener, .events = POLLIN};
    if (p.fd < 0) /* the agent ended before there was a filter */
        return true;
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLNVAL));
}

static void wait_for_listener(void) {
    while (atomic_load(&notify_listener) < 0 && !atomic_load(&stopping))
        futex_wait(&notify_listener, -1, -1);
}

static void let_own_signal_through(void) {
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, INHERITED_OWN_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    atomic_store(&thread, (int)syscall(SYS_gettid));
}

/* RECV says ENOENT for a call that was interrupted before it could be picked up, and at the end of everything. */
static void *serve(void *levels) {
    static union notification n;
    let_own_signal_through();
    wait_for_listener();
    while (!atomic_load(&stopping)) {
        memset(&n.call, 0, sizeof n.call);
        if (ioctl(notify_listener, SECCOMP_IOCTL_NOTIF_RECV, &n.call) == 0) {
            atomic_store(&handling, true);
            handle(&n.call, levels);
            atomic_store(&handling, false);
        } else if (errno != EINTR && notify_nobody_left())
            break;
    }
    atomic_store(&stopped, 1);
    futex_wake(&stopped);
    return NULL;
}

bool notify_start(const struct open_levels *levels) { return thread_start(serve, (void *)(uintptr_t)levels); }

void notify_settle(void) {
    for (int i = 0; i < SETTLE_TRIES && atomic_load(&handling); i++)
        i < SETTLE_TRIES / 2 ? (void)sched_yield() : (void)usleep(SETTLE_PAUSE_US);
}

/* The signal is sent again and again: the first may come just before the thread waits. */
void notify_stop(void) {
    atomic_store(&stopping, true);
    for (int i = 0; i < STOP_TRIES && !atomic_load(&stopped); i++) {
        syscall(SYS_tgkill, getpid(), atomic_load(&thread), INHERITED_OWN_SIGNAL);
        futex_wait(&stopped, 0, STOP_PAUSE_MS);
    }
}
