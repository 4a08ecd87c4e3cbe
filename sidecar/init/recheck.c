#define _GNU_SOURCE
#include "recheck.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alien_code.h"
#include "futex.h"
#include "launch.h"
#include "process.h"
#include "stance.h"
#include "thread.h"

enum {
    SETS = 256,
    WAYS = 4,
    LOOKS = 3,      /* at one that maps something: the call may be delayed */
    SOON_MS = 1,
    AGAIN_MS = 50,
    ALL_MS = 1000,
    SETTLE_MS = 20 /* calls that were let go on before it was enforced */
};

struct watched {
    pid_t tid; /* 0: free */
    int looks;
};

static struct {
    pthread_mutex_t lock;
    struct watched sets[SETS][WAYS];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int work, begun, settled;
static _Atomic bool started, pending; /* pending: somebody is to be looked at soon */

/* Where the thread is, or is to be: one that needs no look soon makes room. NULL: there is none. */
static struct watched *slot_of(pid_t tid) {
    struct watched *set = table.sets[(unsigned)tid % SETS], *room = NULL;
    for (struct watched *w = set; w < set + WAYS; w++) {
        if (w->tid == tid)
            return w;
        if (!room && (w->tid == 0 || w->looks == 0))
            room = w;
    }
    return room;
}

/* Gives whether it was noted, and in *fresh whether that is news. */
static bool note(pid_t tid, int looks, bool *fresh) {
    pthread_mutex_lock(&table.lock);
    struct watched *w = slot_of(tid);
    *fresh = w && (w->tid != tid || w->looks < looks);
    if (*fresh)
        *w = (struct watched){tid, looks};
    pthread_mutex_unlock(&table.lock);
    return w != NULL;
}

static void wake(void) {
    if (!atomic_exchange(&work, 1))
        futex_wake(&work);
}

bool recheck_soon(pid_t pid) {
    bool fresh, noted = note(pid, LOOKS, &fresh);
    atomic_store(&pending, true);
    if (fresh)
        wake();
    return noted;
}

void recheck_seen(pid_t tid) {
    pthread_mutex_lock(&table.lock);
    const struct watched *w = slot_of(tid);
    bool known = w && w->tid == tid;
    pthread_mutex_unlock(&table.lock);
    if (!known)
        recheck_soon(tid);
}

static bool is_due(pid_t pid) {
    pthread_mutex_lock(&table.lock);
    const struct watched *w = slot_of(pid);
    bool looks = w && w->tid == pid && w->looks;
    pthread_mutex_unlock(&table.lock);
    return looks;
}

bool recheck_now(pid_t tid) {
    if (!atomic_load(&pending) || atomic_load(&settled) != atomic_load(&begun))
        return true;
    struct process who = process_of(tid, boottime_ns());
    return !is_due(who.pid) || alien_code_look(who.pid) != CODE_KILLED;
}

/* Takes one look off each of a set; `due` gets those to look at (0: none). Whether there are more looks to come. */
static bool take_due(struct watched set[WAYS], bool all, pid_t due[WAYS]) {
    bool more = false;
    pthread_mutex_lock(&table.lock);
    for (int way = 0; way < WAYS; way++) {
        due[way] = all || set[way].looks ? set[way].tid : 0;
        set[way].looks -= set[way].looks > 0;
        more |= set[way].looks > 0;
    }
    pthread_mutex_unlock(&table.lock);
    return more;
}

static void forget(struct watched *w, pid_t tid) {
    pthread_mutex_lock(&table.lock);
    if (w->tid == tid && w->looks == 0)
        w->tid = 0;
    pthread_mutex_unlock(&table.lock);
}

/* Whether there are more looks to come. */
static bool look_around(bool all) {
    bool more = false;
    pid_t due[WAYS];
    for (size_t set = 0; set < SETS; set++) {
        more |= take_due(table.sets[set], all, due);
        for (int way = 0; way < WAYS; way++)
            if (due[way] && alien_code_look(due[way]) != CODE_JUDGED)
                forget(&table.sets[set][way], due[way]);
    }
    return more;
}

static void accept_what_is_there(void) {
    DIR *proc = opendir("/proc");
    for (struct dirent *e; proc && (e = readdir(proc));) {
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid && process_descends(pid))
            alien_code_accept(pid);
    }
    if (proc)
        closedir(proc);
}

/* What was mapped before it was enforced counts as judged; a moment later, for what was let go on last. */
static void accept_when_begun(void) {
    int now = atomic_load(&begun);
    if (now == atomic_load(&settled))
        return;
    usleep(SETTLE_MS * 1000);
    accept_what_is_there();
    atomic_store(&settled, now);
}

static void *run(void *unused) {
    uint64_t all_ns = 0;
    for (bool more = false;;) {
        futex_wait(&work, 0, more ? AGAIN_MS : ALL_MS);
        int soon = atomic_exchange(&work, 0);
        accept_when_begun();
        if (!stance_enforces()) {
            more = false;
            continue;
        }
        if (soon)
            usleep(SOON_MS * 1000);
        bool all = boottime_ns() - all_ns >= ALL_MS * 1000000ull;
        if (all)
            all_ns = boottime_ns();
        atomic_store(&pending, false);
        more = look_around(all);
        if (more)
            atomic_store(&pending, true);
    }
    return unused;
}

/* Before the agent there is nothing to accept. */
void recheck_begin(void) {
    if (atomic_load(&launch_gate))
        atomic_fetch_add(&begun, 1);
    if (!atomic_exchange(&started, true) && !thread_start(run, NULL))
        atomic_store(&started, false);
    wake();
}
