#define _GNU_SOURCE
#include "egress_wait.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "egress.h"
#include "egress_reach.h"
#include "interrupt.h"
#include "kernel.h"
#include "notify.h"
#include "stance.h"
#include "thread.h"
#include "twin.h"

enum {
    TICK_MS = 20,
    LOOKED_AT_MAX = 32, /* callers asked for signals in one tick */
    SWEEP_MS = 2000,
    EVENTS = 16
};

#define WAKE (UINT64_MAX)
#define OF_TWIN (UINT64_C(1) << 63)

struct waiter {
    _Atomic int what; /* enum waiting; WAITING_NOT: free. Set last, cleared by the thread alone */
    struct plan plan;
    uint64_t until_ns; /* 0: for ever */
};

static struct {
    pthread_mutex_t lock;
    bool started;
    int poll, wake;
    _Atomic int waiting, sweep;
    struct waiter all[WAITING_MAX];
    size_t looked_at;
    uint64_t ticked_ns, swept_ns;
} waits = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void leave(struct waiter *w, int64_t result) {
    struct plan plan = w->plan;
    epoll_ctl(waits.poll, EPOLL_CTL_DEL, plan.fd, NULL);
    atomic_store(&w->what, WAITING_NOT);
    atomic_fetch_sub(&waits.waiting, 1);
    egress_finish(&plan, result);
}

/* Connecting again is what brings a connect to its end: it takes the error away, or makes the socket a connected one. */
static void on_connect(struct waiter *w) {
    int result = egress_connect_now(&w->plan);
    if (result != -EALREADY && result != -EINPROGRESS)
        leave(w, result);
}

static void on_room(struct waiter *w) {
    int result = egress_send_now(&w->plan);
    if (result != -EAGAIN)
        leave(w, result);
}

static void on_event(const struct epoll_event *event) {
    if (event->data.u64 == WAKE) {
        uint64_t count;
        (void)!read(waits.wake, &count, sizeof count);
        return;
    }
    if (event->data.u64 & OF_TWIN) {
        twin_settle(event->data.u64 & ~OF_TWIN);
        return;
    }
    struct waiter *w = &waits.all[event->data.u64 % WAITING_MAX];
    switch (atomic_load(&w->what)) {
    case WAITING_CONNECT: on_connect(w); break;
    case WAITING_ROOM: on_room(w); break;
    default: break;
    }
}

static bool is_gone(const struct waiter *w) {
    uint64_t id = w->plan.id;
    return ioctl(notify_listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 && errno == ENOENT;
}

/* The connection that is being made is given up: it must not come about after all. */
static void cut(struct waiter *w) {
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (w->what == WAITING_CONNECT)
        connect(w->plan.fd, &nowhere, sizeof nowhere);
    leave(w, -ENETUNREACH);
}

static void try_again(struct waiter *w) {
    int result = egress_connect_now(&w->plan);
    if (result != -EAGAIN)
        leave(w, result);
}

/* What the caller gets when its socket's time is up: a send could not be done, a connect goes on by itself. */
static int late(const struct waiter *w) { return w->what == WAITING_CONNECT ? -EINPROGRESS : -EAGAIN; }

/* Not before a sweep that began after it came. */
static void retry_swept(struct waiter *w) {
    struct plan plan = w->plan;
    if (atomic_load(&waits.sweep))
        return;
    atomic_store(&w->what, WAITING_NOT);
    atomic_fetch_sub(&waits.waiting, 1);
    egress_retry(&plan);
}

static void attend(struct waiter *w, uint64_t now_ns, bool look) {
    int interrupted;
    if (w->what == WAITING_SWEPT)
        retry_swept(w);
    else if (is_gone(w))
        leave(w, -EINTR);
    else if (egress_is_cut(w->plan.of.socket.domain))
        cut(w);
    else if (w->until_ns && now_ns >= w->until_ns)
        leave(w, late(w));
    else if (look && (interrupted = interrupt_due(w->plan.who.tid, w->plan.nr)))
        leave(w, -interrupted);
    else if (w->what == WAITING_AGAIN)
        try_again(w);
}

static void tick(uint64_t now_ns) {
    size_t from = waits.looked_at;
    int looks = 0;
    for (size_t i = 0; i < WAITING_MAX && atomic_load(&waits.waiting) > 0; i++) {
        struct waiter *w = &waits.all[(from + i) % WAITING_MAX];
        if (atomic_load(&w->what) == WAITING_NOT)
            continue;
        bool look = looks < LOOKED_AT_MAX;
        attend(w, now_ns, look);
        if (look && ++looks == LOOKED_AT_MAX)
            waits.looked_at = (from + i + 1) % WAITING_MAX;
    }
}

/* Two sweeps, for only what is missed twice is nobody's. */
static void sweep(uint64_t now_ns) {
    bool asked = atomic_exchange(&waits.sweep, 0);
    bool due = twin_count() > 0 && now_ns - waits.swept_ns >= SWEEP_MS * 1000000ull;
    if (!asked && !due)
        return;
    twin_sweep();
    if (asked)
        twin_sweep();
    waits.swept_ns = boottime_ns();
}

static int patience(void) {
    if (atomic_load(&waits.waiting) > 0)
        return TICK_MS;
    return egress_reaches_by_twins() ? SWEEP_MS : -1;
}

static void *run(void *unused) {
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(waits.poll, events, EVENTS, patience());
        for (int i = 0; i < count; i++)
            on_event(&events[i]);
        uint64_t now_ns = boottime_ns();
        bool asked = atomic_load(&waits.sweep);
        sweep(now_ns);
        if (!asked && now_ns - waits.ticked_ns < TICK_MS * 1000000ull)
            continue;
        waits.ticked_ns = now_ns;
        tick(now_ns);
    }
    return unused;
}

/* Nothing of this runs before something has to wait. */
static bool start(void) {
    if (waits.started)
        return true;
    waits.poll = epoll_create1(EPOLL_CLOEXEC);
    waits.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
    waits.started = waits.poll >= 0 && waits.wake >= 0 &&
                    epoll_ctl(waits.poll, EPOLL_CTL_ADD, waits.wake, &event) == 0 && thread_start(run, NULL);
    if (!waits.started) {
        close(waits.poll);
        close(waits.wake);
    }
    return waits.started;
}

static bool started(void) {
    pthread_mutex_lock(&waits.lock);
    bool is = start();
    pthread_mutex_unlock(&waits.lock);
    return is;
}

static void wake(void) { (void)!write(waits.wake, &(uint64_t){1}, sizeof(uint64_t)); }

static uint64_t limit_of(const struct plan *plan) {
    struct timeval limit = {0};
    socklen_t size = sizeof limit;
    if (plan->fd < 0 || getsockopt(plan->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) < 0)
        return 0;
    uint64_t ns = (uint64_t)limit.tv_sec * 1000000000u + (uint64_t)limit.tv_usec * 1000u;
    return ns ? boottime_ns() + ns : 0;
}

static struct waiter *free_place(void) {
    for (size_t i = 0; i < WAITING_MAX; i++)
        if (atomic_load(&waits.all[i].what) == WAITING_NOT)
            return &waits.all[i];
    return NULL;
}

static bool can_poll(enum waiting what) { return what == WAITING_CONNECT || what == WAITING_ROOM; }

static bool enter(const struct plan *plan, enum waiting what) {
    struct waiter *w = free_place();
    if (!w)
        return false;
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = (uint64_t)(w - waits.all)};
    w->plan = *plan;
    w->until_ns = limit_of(plan);
    if (can_poll(what) && epoll_ctl(waits.poll, EPOLL_CTL_ADD, plan->fd, &event) < 0)
        return false;
    atomic_fetch_add(&waits.waiting, 1);
    atomic_store(&w->what, what);
    return true;
}

bool egress_wait(const struct plan *plan, enum waiting what) {
    pthread_mutex_lock(&waits.lock);
    if (what == WAITING_SWEPT)
        atomic_store(&waits.sweep, 1);
    bool entered = start() && enter(plan, what);
    pthread_mutex_unlock(&waits.lock);
    if (entered)
        wake();
    return entered;
}

void egress_wait_twin(uint64_t inode) {
    if (started())
        twin_watch(inode, waits.poll, inode | OF_TWIN);
}

void egress_wait_sweep(bool now) {
    if (!started() || !now)
        return;
    atomic_store(&waits.sweep, 1);
    wake();
}
