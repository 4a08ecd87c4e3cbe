#define _GNU_SOURCE
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "locate.h"
#include "queue.h"

enum { WATCHED = 512, PATIENCE = 3 };

static struct watched {
    pid_t pid, tid; /* the process, and the thread that called */
    uint64_t start, stack, device, inode;
    bool interpreted;
    int patience;
} watched[WATCHED];

static struct watched *slot_of(pid_t pid) { return &watched[(unsigned)pid % WATCHED]; }

void watch_exec(const struct trap *t, const struct image *image) {
    *slot_of(t->who.pid) = (struct watched){t->who.pid,         t->who.tid,         t->who.start,       t->who.stack,
                                            image->file.device, image->file.inode, image->interpreted, PATIENCE};
}

static bool runs(const struct watched *w) {
    char link[32];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/exe", w->pid);
    return stat(link, &st) == 0 && st.st_dev == w->device && st.st_ino == w->inode;
}

static void report(struct trap *t, bool interpreted) {
    static char path[PATH_TEXT];
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", t->who.pid);
    struct image image = image_of(open(link, O_PATH | O_CLOEXEC), t->call->data.nr);
    message_begin(t->message, INSCOPE_IMAGE, &t->who, t->now_ns);
    message_body(t->message, &image.file, sizeof image.file);
    message_text(t->message, path, locate_own_link(image.path_fd, path), INSCOPE_PATH_MAX);
    trap_queue_image(t, &image,
                     (interpreted ? 0 : INSCOPE_MISMATCH) | (image.path_fd < 0 ? INSCOPE_UNREADABLE : 0));
    image_close(&image);
}

/* An exec gives the process a new stack, and its thread the process's id. With the old stack, either the exec failed,
 * or it is another thread's and still under way: that is looked at a few more times. */
static void settle(struct trap *t, struct watched *w) {
    t->who = process_refresh(w->pid, t->now_ns);
    bool same_process = t->who.start == w->start, happened = t->who.stack != w->stack;
    if (same_process && !happened && w->tid != w->pid && --w->patience > 0)
        return;
    bool interpreted = w->interpreted;
    w->pid = 0;
    if (same_process && happened && trap_stands(t))
        report(t, interpreted);
}

void watch_settle(struct trap *t) {
    struct watched *w = slot_of((pid_t)t->call->pid);
    if (w->pid != (pid_t)t->call->pid)
        return;
    if (runs(w))
        w->pid = 0;
    else
        settle(t, w);
}
