#define _GNU_SOURCE
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "actors.h"
#include "gate_sight.h"
#include "locate.h"
#include "queue.h"

enum { WATCHED = 512, PATIENCE = 3, LOOKED = 64, LOOK_AGAIN_MS = 10000 };

static struct watched {
    pid_t pid, tid; /* the process, and the thread that called */
    uint64_t start, stack, device, inode;
    uint64_t key; /* of an exec that was known, and only counted */
    bool told, interpreted, gated;
    int patience;
} watched[WATCHED];

static struct watched *slot_of(pid_t pid) { return &watched[(unsigned)pid % WATCHED]; }

static bool runs(const struct watched *w) {
    char link[32];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/exe", w->pid);
    return stat(link, &st) == 0 && st.st_dev == w->device && st.st_ino == w->inode;
}

static void report(struct trap *t, const struct watched *w, unsigned flags) {
    static char path[PATH_TEXT];
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", t->who.pid);
    struct image image = image_of(open(link, O_PATH | O_CLOEXEC), t->call->data.nr);
    message_begin(t->message, INSCOPE_IMAGE, &t->who, t->now_ns);
    message_key(t->message, w->key);
    message_body(t->message, &image.file, sizeof image.file);
    message_text(t->message, path, locate_own_link(image.path_fd, path), INSCOPE_PATH_MAX);
    trap_queue_image(t, &image, flags | (image.path_fd < 0 ? INSCOPE_UNREADABLE : 0));
    image_close(&image);
}

/* Whether the loader of the program was not asked for a while: a program has the same each time. */
static bool is_due(const struct watched *w, uint64_t now_ns) {
    static struct {
        uint64_t device, inode, at_ns;
    } looked[LOOKED];
    size_t at = (w->inode ^ w->device) % LOOKED;
    if (looked[at].inode == w->inode && looked[at].device == w->device &&
        now_ns - looked[at].at_ns < LOOK_AGAIN_MS * 1000000ull)
        return false;
    looked[at].device = w->device;
    looked[at].inode = w->inode;
    looked[at].at_ns = now_ns;
    return true;
}

/* The kernel maps a program's loader by itself, which no call tells. Where it is enforced the gate asks about it, so it
 * has to be learned before. */
static void report_loader(struct trap *t, const struct watched *w) {
    static char path[PATH_TEXT];
    if (!w->told || w->gated || !is_due(w, t->now_ns))
        return;
    struct sight sight = gate_sight(w->pid, false);
    int fd = sight.loader ? gate_sight_open_loader(w->pid, sight.loader) : -1;
    if (fd < 0)
        return;
    struct image image = image_of(fd, t->call->data.nr);
    t->who = process_refresh(w->pid, t->now_ns);
    message_begin(t->message, INSCOPE_LOAD, &t->who, t->now_ns);
    message_body(t->message, &image.file, sizeof image.file);
    message_text(t->message, path, locate_own_link(fd, path), INSCOPE_PATH_MAX);
    trap_queue_image(t, &image, 0);
    image_close(&image);
}

static unsigned as_named(const struct watched *w) { return w->interpreted ? 0 : INSCOPE_MISMATCH; }

enum progress { UNDER_WAY, OVER, HAPPENED, FAILED };

/* An exec gives the process a new stack, and its thread the process's id. With the old stack, either the exec failed,
 * or it is another thread's and still under way: that is looked at a few more times, and never called failed. */
static enum progress progress_of(struct watched *w, const struct process *now) {
    if (now->start != w->start)
        return OVER;
    if (now->stack != w->stack)
        return HAPPENED;
    if (w->tid != w->pid)
        return --w->patience > 0 ? UNDER_WAY : OVER;
    return w->told && now->start && now->stack ? FAILED : OVER; /* zero: unreadable */
}

/* What it was said to run it does not: until the sidecar has taken that in, its acts are nobody's. A script is still
 * what was said, whatever interprets it. */
static void note_change(const struct watched *w, const struct process *who, enum progress progress, uint64_t now_ns) {
    if (progress == FAILED || !w->interpreted || !w->told)
        actors_changed(who, now_ns);
}

void watch_settle(struct trap *t) {
    struct watched *w = slot_of((pid_t)t->call->pid);
    if (w->pid != (pid_t)t->call->pid)
        return;
    enum progress progress = OVER;
    if (runs(w))
        report_loader(t, w);
    else {
        t->who = process_refresh(w->pid, t->now_ns);
        progress = progress_of(w, &t->who);
    }
    if (progress == UNDER_WAY)
        return;
    w->pid = 0;
    if (w->gated && progress == HAPPENED) /* the gate has looked at it */
        return;
    if (progress >= HAPPENED && trap_stands(t)) {
        report(t, w, progress == FAILED ? INSCOPE_FAILED : as_named(w));
        note_change(w, &t->who, progress, t->now_ns);
    }
}

/* Two watched processes whose ids collide: the first is looked at now. Otherwise a program could hide what it runs
 * behind many others that exec before its first trap. */
static void settle_early(const struct trap *t, struct watched *w) {
    struct trap other = *t;
    if (w->pid == 0 || w->gated || w->pid == t->who.pid || runs(w))
        return;
    other.who = process_read(w->pid);
    if (progress_of(w, &other.who) == HAPPENED) {
        report(&other, w, as_named(w));
        note_change(w, &other.who, HAPPENED, t->now_ns);
    }
}

void watch_exec(const struct trap *t, const struct image *image, bool told) {
    struct watched *w = slot_of(t->who.pid);
    settle_early(t, w);
    *w = (struct watched){.pid = t->who.pid,
                          .tid = t->who.tid,
                          .start = t->who.start,
                          .stack = t->who.stack,
                          .device = image->file.device,
                          .inode = image->file.inode,
                          .key = told ? 0 : t->key,
                          .told = told && image->file.inode,
                          .interpreted = image->interpreted,
                          .gated = t->enforced,
                          .patience = PATIENCE};
}

