#include "actors.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETS = 512, WAYS = 4 };

static struct entry {
    pid_t pid;
    uint64_t start, used_ns;
    uint64_t since_ns; /* of the last exec that was tried, or of what the number was read from */
    uint64_t actor, key;
    uint64_t next_actor, next_key, device, inode; /* of a known exec, until it is seen to have happened */
} entries[SETS][WAYS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct entry *find(pid_t pid, uint64_t start) {
    struct entry *set = entries[(unsigned)pid % SETS];
    for (struct entry *e = set; e < set + WAYS; e++)
        if (e->pid == pid && e->start == start)
            return e;
    return NULL;
}

/* The process's entry; a new one takes the place of what was used the longest ago. */
static struct entry *place(pid_t pid, uint64_t start, uint64_t now_ns) {
    struct entry *set = entries[(unsigned)pid % SETS], *oldest = set, *found = find(pid, start);
    for (struct entry *e = set; !found && e < set + WAYS; e++)
        if (e->used_ns < oldest->used_ns)
            oldest = e;
    if (!found) {
        found = oldest;
        *found = (struct entry){.pid = pid, .start = start};
    }
    found->used_ns = now_ns;
    return found;
}

static bool runs(const struct entry *e) {
    char link[32];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/exe", e->pid);
    return stat(link, &st) == 0 && st.st_dev == e->device && st.st_ino == e->inode;
}

/* A known exec is believed once its image is what runs; while it is not, it is under way or has failed. */
static void settle(struct entry *e) {
    if (!e->next_actor)
        return;
    if (runs(e)) {
        e->actor = e->next_actor;
        e->key = e->next_key;
        e->next_actor = 0;
    }
}

/* Start times are clock ticks (USER_HZ is 100 everywhere): a parent that exec'ed in the child's first tick, or later,
 * may be another program than the one that forked. */
static bool forked_since(const struct entry *parent, const struct process *child) {
    const uint64_t tick_ns = 10 * 1000 * 1000;
    return child->start * tick_ns >= parent->since_ns;
}

static uint64_t inherited(const struct process *who, uint64_t now_ns) {
    struct process parent = process_of(who->ppid, now_ns);
    struct entry *e = parent.start ? find(parent.pid, parent.start) : NULL;
    if (!e)
        return 0;
    settle(e);
    e->used_ns = now_ns;
    return !e->next_actor && forked_since(e, who) ? e->actor : 0;
}

static uint64_t look_up(const struct process *who, uint64_t now_ns) {
    const struct entry *known = find(who->pid, who->start);
    bool forked = !known || (!known->actor && !known->since_ns);
    uint64_t actor = forked ? inherited(who, now_ns) : 0;
    struct entry *e = place(who->pid, who->start, now_ns);
    if (forked)
        e->actor = actor;
    settle(e);
    return e->next_actor ? 0 : e->actor;
}

uint64_t actors_of(const struct process *who, uint64_t now_ns) {
    if (who->start == 0)
        return 0;
    pthread_mutex_lock(&lock);
    uint64_t actor = look_up(who, now_ns);
    pthread_mutex_unlock(&lock);
    return actor;
}

uint64_t actors_exec_key(const struct process *who) {
    pthread_mutex_lock(&lock);
    const struct entry *e = find(who->pid, who->start);
    uint64_t key = e ? e->key : 0;
    pthread_mutex_unlock(&lock);
    return key;
}

void actors_exec_told(const struct process *who, uint64_t now_ns) {
    pthread_mutex_lock(&lock);
    struct entry *e = place(who->pid, who->start, now_ns);
    *e = (struct entry){.pid = who->pid, .start = who->start, .used_ns = now_ns, .since_ns = now_ns};
    pthread_mutex_unlock(&lock);
}

void actors_exec_known(const struct process *who, uint64_t now_ns, uint64_t actor, uint64_t key,
                       const struct inscope_file *file) {
    pthread_mutex_lock(&lock);
    struct entry *e = place(who->pid, who->start, now_ns);
    e->since_ns = now_ns;
    e->next_actor = actor;
    e->next_key = key;
    e->device = file->device;
    e->inode = file->inode;
    pthread_mutex_unlock(&lock);
}

void actors_exec_failed(const struct process *who) {
    pthread_mutex_lock(&lock);
    struct entry *e = find(who->pid, who->start);
    if (e)
        e->next_actor = 0;
    pthread_mutex_unlock(&lock);
}

void actors_learn(const struct inscope_actor *actor) {
    pthread_mutex_lock(&lock);
    struct entry *e = find(actor->pid, actor->start);
    if (!e)
        e = place(actor->pid, actor->start, actor->since_ns);
    if (actor->since_ns >= e->since_ns) {
        e->actor = actor->actor;
        e->key = e->next_actor = 0;
    }
    pthread_mutex_unlock(&lock);
}

void actors_forget(void) {
    pthread_mutex_lock(&lock);
    memset(entries, 0, sizeof entries);
    pthread_mutex_unlock(&lock);
}
