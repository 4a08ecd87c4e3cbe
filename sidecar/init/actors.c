#include "actors.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETS = 512, WAYS = 4 };

static const uint64_t tick_ns = 10 * 1000 * 1000; /* of start times: USER_HZ is 100 everywhere */

/* A known exec that was tried, until it is seen to have happened: by which thread, and whether only the stack (another
 * after each exec) can tell, because the process ran the same file before. */
struct attempt {
    uint64_t actor, key, device, inode, stack;
    pid_t tid;
    bool same_file;
};

static struct entry {
    pid_t pid;
    uint64_t start, used_ns;
    uint64_t since_ns; /* of the last exec that was tried; 0: it was only forked */
    uint64_t actor, key;
    struct attempt next; /* `actor` 0: none */
} entries[SETS][WAYS];

/* When an entry of the set was last given up whose process goes on and has exec'ed: who started before is no longer
 * known to run what its parent ran. */
static uint64_t given_up_ns[SETS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct entry *find(pid_t pid, uint64_t start) {
    struct entry *set = entries[(unsigned)pid % SETS];
    for (struct entry *e = set; e < set + WAYS; e++)
        if (e->pid == pid && e->start == start)
            return e;
    return NULL;
}

static bool is_gone(const struct entry *e) { return e->pid == 0 || (kill(e->pid, 0) < 0 && errno == ESRCH); }

/* One whose process is gone, or else what was used the longest ago. */
static struct entry *victim(struct entry *set) {
    struct entry *oldest = set;
    for (struct entry *e = set; e < set + WAYS; e++) {
        if (is_gone(e))
            return e;
        if (e->used_ns < oldest->used_ns)
            oldest = e;
    }
    return oldest;
}

static struct entry *place(pid_t pid, uint64_t start, uint64_t now_ns) {
    size_t set = (unsigned)pid % SETS;
    struct entry *found = find(pid, start);
    if (!found) {
        found = victim(entries[set]);
        if (found->since_ns && !is_gone(found))
            given_up_ns[set] = now_ns;
        *found = (struct entry){.pid = pid, .start = start};
    }
    found->used_ns = now_ns;
    return found;
}

static bool is_image(pid_t pid, uint64_t device, uint64_t inode) {
    char link[32];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    return stat(link, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* Read anew, and not kept: any thread may ask. */
static bool happened(const struct entry *e) {
    const struct attempt *next = &e->next;
    if (!is_image(e->pid, next->device, next->inode))
        return false;
    uint64_t stack = next->same_file ? process_read(e->pid).stack : 0;
    return !next->same_file || (stack && stack != next->stack);
}

/* A known exec is believed once its image is what runs; while it is not, it is under way or has failed. Who was forked
 * before it is believed may still be the program that tried it. */
static void settle(struct entry *e, uint64_t now_ns) {
    if (!e->next.actor || !happened(e))
        return;
    e->actor = e->next.actor;
    e->key = e->next.key;
    e->next.actor = 0;
    e->since_ns = now_ns;
}

/* A parent that exec'ed in the child's first tick, or later, may be another program than the one that forked. */
static bool forked_since(const struct entry *parent, const struct process *child) {
    return child->start * tick_ns >= parent->since_ns;
}

static uint64_t inherited(const struct process *who, uint64_t now_ns) {
    struct process parent = process_of(who->ppid, now_ns);
    struct entry *e = parent.start ? find(parent.pid, parent.start) : NULL;
    if (!e)
        return 0;
    settle(e, now_ns);
    e->used_ns = now_ns;
    return !e->next.actor && forked_since(e, who) ? e->actor : 0;
}

static bool may_have_execed(const struct process *who) {
    return who->start * tick_ns <= given_up_ns[(unsigned)who->pid % SETS];
}

static struct entry *enter(const struct process *who, uint64_t now_ns) {
    bool unsure = !find(who->pid, who->start) && may_have_execed(who);
    struct entry *e = place(who->pid, who->start, now_ns);
    if (unsure)
        e->since_ns = now_ns;
    return e;
}

/* The thread that tried it is back, and the stack is the old one. */
static bool failed(const struct entry *e, const struct process *who) {
    return e->next.tid == who->tid && e->next.stack && process_read(who->pid).stack == e->next.stack;
}

static uint64_t look_up(const struct process *who, uint64_t now_ns) {
    struct entry *e = enter(who, now_ns);
    if (!e->actor && !e->since_ns)
        e->actor = inherited(who, now_ns);
    settle(e, now_ns);
    if (e->next.actor && failed(e, who))
        e->next.actor = 0;
    return e->next.actor ? 0 : e->actor;
}

uint64_t actors_of(const struct process *who, uint64_t now_ns) {
    if (who->start == 0)
        return 0;
    pthread_mutex_lock(&lock);
    uint64_t actor = look_up(who, now_ns);
    pthread_mutex_unlock(&lock);
    return actor;
}

uint64_t actors_exec_key(const struct process *who, uint64_t now_ns) {
    pthread_mutex_lock(&lock);
    struct entry *e = find(who->pid, who->start);
    if (e)
        settle(e, now_ns);
    uint64_t key = e ? e->key : 0;
    pthread_mutex_unlock(&lock);
    return key;
}

void actors_changed(const struct process *who, uint64_t now_ns) {
    pthread_mutex_lock(&lock);
    struct entry *e = place(who->pid, who->start, now_ns);
    *e = (struct entry){.pid = who->pid, .start = who->start, .used_ns = now_ns, .since_ns = now_ns};
    pthread_mutex_unlock(&lock);
}

bool actors_run(const struct process *who, const struct inscope_file *file) {
    return is_image(who->pid, file->device, file->inode);
}

void actors_exec_known(const struct process *who, uint64_t now_ns, struct known_exec exec) {
    const struct inscope_file *file = exec.file;
    pthread_mutex_lock(&lock);
    struct entry *e = place(who->pid, who->start, now_ns);
    e->since_ns = now_ns;
    e->next = (struct attempt){exec.actor, exec.key, file->device, file->inode, who->stack, who->tid, exec.same_file};
    pthread_mutex_unlock(&lock);
}

/* An exec that is under way goes on being it. */
static void learn(const struct inscope_actor *actor, uint64_t now_ns) {
    const struct process who = {.pid = actor->pid, .tid = actor->pid, .start = actor->start};
    struct entry *e = enter(&who, now_ns);
    if (actor->since_ns >= e->since_ns)
        e->actor = actor->actor;
}

void actors_learn(const struct inscope_actor *actor) {
    pthread_mutex_lock(&lock);
    learn(actor, boottime_ns());
    pthread_mutex_unlock(&lock);
}

/* Who has exec'ed is kept, or it would be taken for its parent; and by which known exec, or it would be taken for what
 * it ran before. */
void actors_forget(void) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SETS * WAYS; i++) {
        struct entry *e = &entries[i / WAYS][i % WAYS];
        if (e->actor) /* what was never used stays out of memory */
            e->actor = 0;
    }
    pthread_mutex_unlock(&lock);
}
