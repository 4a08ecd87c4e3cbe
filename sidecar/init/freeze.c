#define _GNU_SOURCE
#include "freeze.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "futex.h"
#include "process.h"
#include "stance.h"
#include "thread.h"

enum {
    TREE_MAX = 4096,   /* processes looked at; what is beyond is met when others are gone */
    BEFORE_MAX = 256,  /* processes remembered that were stopped before */
    PASSES = 8,        /* a process that forks while it is being stopped is met in the next */
    PASS_MS = 2,
    AGAIN_MS = 500
};

struct member {
    pid_t pid, ppid;
    uint64_t start;
};

static struct {
    struct member tree[TREE_MAX]; /* by pid: the order of /proc */
    size_t size;
    struct {
        pid_t pid;
        uint64_t start;
    } before[BEFORE_MAX];
    size_t befores;
} frozen;

static _Atomic int holds, keeping, changed;

bool freeze_holds(void) { return atomic_load(&holds); }

static void list(void) {
    frozen.size = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && frozen.size < TREE_MAX && (entry = readdir(proc));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0)
            continue;
        struct process who = process_read(pid);
        if (who.start)
            frozen.tree[frozen.size++] = (struct member){pid, who.ppid, who.start};
    }
    if (proc)
        closedir(proc);
}

static int by_pid(const void *key, const void *element) {
    pid_t pid = *(const pid_t *)key, other = ((const struct member *)element)->pid;
    return (pid > other) - (pid < other);
}

static const struct member *find(pid_t pid) {
    return bsearch(&pid, frozen.tree, frozen.size, sizeof *frozen.tree, by_pid);
}

/* Bounded by the number of processes: ids that come round again could make a ring of what was read at different times. */
static bool is_ours(const struct member *m) {
    for (size_t steps = 0; m && steps < frozen.size; steps++) {
        if (m->ppid == getpid())
            return true;
        m = find(m->ppid);
    }
    return false;
}

static bool was_stopped_before(const struct member *m) {
    for (size_t i = 0; i < frozen.befores; i++)
        if (frozen.before[i].pid == m->pid && frozen.before[i].start == m->start)
            return true;
    return false;
}

static void remember(const struct member *m) {
    if (frozen.befores == BEFORE_MAX)
        return;
    frozen.before[frozen.befores].pid = m->pid;
    frozen.before[frozen.befores++].start = m->start;
}

/* How many had to be told. */
static size_t stop_those_that_run(bool first) {
    size_t told = 0;
    list();
    for (const struct member *m = frozen.tree; m < frozen.tree + frozen.size; m++) {
        if (!is_ours(m))
            continue;
        bool stopped = process_is_stopped(m->pid);
        if (stopped && first)
            remember(m);
        if (!stopped && kill(m->pid, SIGSTOP) == 0)
            told++;
    }
    return told;
}

static void stop_all(void) {
    bool first = true;
    for (int pass = 0; pass < PASSES && stop_those_that_run(first); pass++) {
        first = false;
        usleep(PASS_MS * 1000); /* a signal takes its time */
    }
}

static void continue_all(void) {
    list();
    for (const struct member *m = frozen.tree; m < frozen.tree + frozen.size; m++)
        if (is_ours(m) && !was_stopped_before(m))
            kill(m->pid, SIGCONT);
    frozen.befores = 0;
}

/* Whoever is continued from outside, or escaped while it was being made, is met again. */
static void *keep(void *unused) {
    (void)unused;
    while (stance() == INSCOPE_FREEZES) {
        int seen = atomic_load(&changed);
        stop_those_that_run(false);
        if (stance() == INSCOPE_FREEZES)
            futex_wait(&changed, seen, AGAIN_MS);
    }
    atomic_store(&keeping, 0);
    futex_wake(&keeping);
    return NULL;
}

static void freeze(void) {
    atomic_store(&holds, 1);
    stop_all();
    atomic_store(&keeping, 1);
    if (!thread_start(keep, NULL)) {
        atomic_store(&keeping, 0);
        fprintf(stderr, "inscope-init: the agent is frozen, but no thread watches that it stays so\n");
    }
}

static void release(void) {
    while (atomic_load(&keeping))
        futex_wait(&keeping, 1, AGAIN_MS);
    continue_all();
    atomic_store(&holds, 0);
}

void freeze_heed(void) {
    bool freezes = stance() == INSCOPE_FREEZES;
    atomic_fetch_add(&changed, 1);
    futex_wake(&changed);
    if (freezes && !freeze_holds())
        freeze();
    else if (!freezes && freeze_holds())
        release();
}
