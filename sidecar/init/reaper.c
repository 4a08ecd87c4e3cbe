#define _GNU_SOURCE
#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "launch.h"
#include "thread.h"

enum { FULL_RETRY_MS = 5 };

_Static_assert(sizeof(struct change) <= 512, "a change is written to the pipe whole");

static int signals = -1, changes[2] = {-1, -1};

int reaper_fd(void) { return changes[0]; }

bool reaper_next(struct change *out) { return read(changes[0], out, sizeof *out) == sizeof *out; }

static int status_of(const siginfo_t *info) {
    switch (info->si_code) {
    case CLD_EXITED: return (info->si_status & 0xff) << 8;
    case CLD_DUMPED: return info->si_status | 0x80;
    case CLD_STOPPED: return info->si_status << 8 | 0x7f;
    case CLD_CONTINUED: return 0xffff;
    default: return info->si_status;
    }
}

/* False: the pipe is full, and the change is to be looked at again. */
static bool hand_on(const struct process *who, const siginfo_t *info) {
    struct change change = {*who, status_of(info)};
    return write(changes[1], &change, sizeof change) == sizeof change;
}

static void take(pid_t pid, int options) {
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, options | WNOHANG | __WALL);
}

static bool is_own(const struct process *who) { return who->pid == who->tid && who->ppid == getpid(); }

static void on_traced_stop(const siginfo_t *info) {
    take(info->si_pid, WSTOPPED);
    gate_stopped(info->si_pid, info->si_status, boottime_ns());
}

/* A traced thread's end is shown to its parent once the tracer took it. */
static bool on_change(const siginfo_t *info) {
    bool stop = info->si_code == CLD_STOPPED;
    struct process who = process_read(info->si_pid);
    if (is_own(&who) && !hand_on(&who, info))
        return false;
    take(info->si_pid, stop ? WSTOPPED : WEXITED);
    if (!stop)
        gate_ended(info->si_pid);
    return true;
}

/* Only the agent's: a tracer that asks for all that were continued takes it from their parents. */
static void look_for_continued(void) {
    siginfo_t info = {0};
    pid_t agent = atomic_load(&launch_agent);
    if (agent == 0 || waitid(P_PID, (id_t)agent, &info, WCONTINUED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return;
    struct process who = process_read(info.si_pid);
    if (hand_on(&who, &info))
        take(info.si_pid, WCONTINUED);
}

/* A change is looked at before it is taken. False: there are more, that cannot be handed on now. */
static bool reap(void) {
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) < 0 || info.si_pid == 0)
            break;
        if (info.si_code == CLD_TRAPPED)
            on_traced_stop(&info);
        else if (!on_change(&info))
            return false;
    }
    look_for_continued();
    return true;
}

static void drain_signals(void) {
    struct signalfd_siginfo signal;
    while (read(signals, &signal, sizeof signal) == sizeof signal)
        ;
}

static void *run(void *unused) {
    (void)unused;
    struct pollfd p[2] = {{.fd = signals, .events = POLLIN}, {.fd = gate_wake_fd(), .events = POLLIN}};
    bool all = true;
    for (int due = -1;;) {
        poll(p, 2, due);
        if (p[0].revents)
            drain_signals();
        if (p[0].revents || !all)
            all = reap();
        gate_serve(p[1].revents != 0, boottime_ns());
        due = gate_due_ms(boottime_ns(), all ? -1 : FULL_RETRY_MS);
    }
    return NULL;
}

bool reaper_start(void) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    signals = signalfd(-1, &only, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals >= 0 && pipe2(changes, O_CLOEXEC | O_NONBLOCK) == 0 && gate_start() && thread_start(run, NULL);
}
