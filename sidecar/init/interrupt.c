#define _GNU_SOURCE
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

enum { STATUS_MAX = 4096, REMEMBERED = 64 };

#define PATIENCE_NS 20000000ull
#define PATIENCE_MAX_NS 640000000ull
#define REMEMBERED_NS 1000000000ull /* a handler that takes longer than this starts its call afresh */

static uint64_t field(const char *status, const char *name, int base) {
    const char *line = strstr(status, name);
    return line ? strtoull(line + strlen(name), NULL, base) : 0;
}

static uint64_t bit(int signal) { return 1ull << (signal - 1); }

/* What would reach the thread if it was not held: neither blocked nor ignored, be it by default. */
static uint64_t deliverable(const char *status, uint64_t pending) {
    uint64_t quiet = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGCONT);
    uint64_t caught = field(status, "\nSigCgt:", 16), ignored = field(status, "\nSigIgn:", 16);
    return pending & ~field(status, "\nSigBlk:", 16) & ~ignored & ~(quiet & ~caught);
}

/* Those that block in the kernel too, and so may be answered EINTR. */
static bool is_interruptible(int nr) {
    return nr == __NR_connect || nr == __NR_sendto || nr == __NR_sendmsg || nr == __NR_sendmmsg;
}

/* The kernel takes its own numbers away only from a thread that it has marked to take a signal: one that was sent to this
 * thread, or to a process that has no other. Any other thread may have been marked for the rest. */
int interrupt_answer(const char *status, int nr) {
    uint64_t own = deliverable(status, field(status, "\nSigPnd:", 16));
    uint64_t shared = deliverable(status, field(status, "\nShdPnd:", 16));
    if (own || (shared && field(status, "\nThreads:", 10) == 1))
        return is_interruptible(nr) ? INTERRUPT_RESTARTS : INTERRUPT_RESTARTS_ALWAYS;
    return shared && is_interruptible(nr) ? EINTR : 0;
}

int interrupt_due(pid_t tid, int nr) {
    char path[32], text[STATUS_MAX];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ESRCH : 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    int error = errno;
    close(fd);
    if (n < 0)
        return error == ESRCH ? ESRCH : 0;
    text[n] = 0;
    return interrupt_answer(text, nr);
}

static struct interrupted remembered[REMEMBERED];

static struct interrupted *slot(pid_t tid) { return &remembered[(size_t)tid % REMEMBERED]; }

struct interrupted interrupt_resume(pid_t tid, int nr, uint64_t now_ns, uint64_t hold_ns) {
    struct interrupted *last = slot(tid);
    bool same = last->tid == tid && last->nr == nr && now_ns - last->at_ns < REMEMBERED_NS;
    if (same && now_ns < last->until_ns)
        return *last;
    return (struct interrupted){tid, nr, now_ns, now_ns + hold_ns, PATIENCE_NS};
}

void interrupt_remember(struct interrupted call, uint64_t now_ns) {
    call.at_ns = now_ns;
    call.patience_ns = call.patience_ns < PATIENCE_MAX_NS ? 2 * call.patience_ns : PATIENCE_MAX_NS;
    *slot(call.tid) = call;
}
