#define _GNU_SOURCE
#include "lineage.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "actors.h"
#include "launch.h"
#include "locate.h"
#include "queue.h"

enum { INTRODUCED = 2048, DEPTH_MAX = 15 };

static struct introduced {
    pid_t pid;
    unsigned generation;
    uint64_t start, key; /* of the known exec that made it what it is */
} introduced[INTRODUCED];

static _Atomic unsigned generation = 1;

void lineage_forget_all(void) { atomic_fetch_add(&generation, 1); }

/* Whether this is news; from now on it is not. A process that exec'ed and was only counted is news again. */
static bool is_new(const struct process *who, uint64_t now_ns) {
    struct introduced *slot = &introduced[(unsigned)who->pid % INTRODUCED];
    struct introduced now = {who->pid, atomic_load(&generation), who->start, actors_exec_key(who, now_ns)};
    bool known = slot->pid == now.pid && slot->start == now.start && slot->generation == now.generation &&
                 slot->key == now.key;
    *slot = now;
    return !known;
}

static void report(const struct process *who, const struct trap *t) {
    static struct message message;
    static char path[PATH_TEXT];
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", who->pid);
    struct image image = image_of(open(link, O_PATH | O_CLOEXEC), t->call->data.nr);
    message_begin(&message, INSCOPE_PROCESS, who, t->now_ns);
    message_key(&message, actors_exec_key(who, t->now_ns));
    message_body(&message, &image.file, sizeof image.file);
    size_t length = image.path_fd < 0 ? 0 : locate_own_link(image.path_fd, path);
    message_text(&message, path, length, INSCOPE_PATH_MAX);
    image_close(&image);
    queue_push(&message);
}

static bool outside(pid_t pid) {
    static pid_t init;
    if (init == 0)
        init = getpid();
    return pid <= 1 || pid == init;
}

/* Eldest first, so that each finds its parent known. */
static void introduce(pid_t pid, const struct trap *t, int depth) {
    if (outside(pid) || depth == 0)
        return;
    struct process who = process_of(pid, t->now_ns); /* kept for a moment: siblings share it */
    if (who.start == 0 || !is_new(&who, t->now_ns))
        return;
    introduce(who.ppid, t, depth - 1);
    report(&who, t);
}

void lineage_introduce(const struct trap *t) {
    if (!is_new(&t->who, t->now_ns))
        return;
    introduce(t->who.ppid, t, DEPTH_MAX);
    /* An orphan has init for a parent: what it runs says the most about where it comes from. */
    bool orphan = outside(t->who.ppid) && t->who.pid != atomic_load(&launch_agent);
    if (orphan || actors_exec_key(&t->who, t->now_ns))
        report(&t->who, t);
}
