#define _GNU_SOURCE
#include "secret_watch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "locate.h"
#include "process.h"
#include "queue.h"
#include "stance.h"
#include "thread.h"

/* SETTLE_MS: what was opened just before it was enforced. LEFT_MS: from the judgement to the event. */
enum { SETTLE_MS = 50, LEFT_MS = 100, LEFT_MAX = 32, EVENTS_BYTES = 4096 };

struct left {
    pid_t tid;
    uint64_t at_ns;
};

struct watch {
    int number; /* of inotify */
    struct file_identity file;
    bool allowed; /* to somebody: then his descriptor and another's look the same */
};

static struct {
    pthread_mutex_t lock;
    int fd;
    size_t count;
    struct watch list[SECRET_WATCHES_MAX];
    struct left left[LEFT_MAX]; /* a ring */
    size_t next;
} watches = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static _Atomic uint64_t begun_ns; /* what was opened before counts as judged */

static bool same(const struct file_identity *a, const struct file_identity *b) {
    return a->inode == b->inode && a->device == b->device && a->born_ns == b->born_ns;
}

static struct watch *of_file(const struct file_identity *file) {
    for (struct watch *w = watches.list; w < watches.list + watches.count; w++)
        if (same(&w->file, file))
            return w;
    return NULL;
}

static struct watch *of_number(int number) {
    for (struct watch *w = watches.list; w < watches.list + watches.count; w++)
        if (w->number == number)
            return w;
    return NULL;
}

static void *run(void *unused);

/* Events are taken from the first watch on, so that none is old when it matters. */
static bool start(void) {
    if (watches.fd >= 0)
        return true;
    int fd = inotify_init1(IN_CLOEXEC);
    if (fd < 0)
        return false;
    watches.fd = fd;
    if (thread_start(run, NULL))
        return true;
    close(fd);
    watches.fd = -1;
    return false;
}

static void add(const char *link, const struct file_identity *file) {
    if (!start() || watches.count == SECRET_WATCHES_MAX || of_file(file))
        return;
    int number = inotify_add_watch(watches.fd, link, IN_OPEN);
    if (number >= 0 && !of_number(number))
        watches.list[watches.count++] = (struct watch){number, *file, false};
}

void secret_watch_add(const char *link, const struct file_identity *file) {
    pthread_mutex_lock(&watches.lock);
    add(link, file);
    pthread_mutex_unlock(&watches.lock);
}

void secret_watch_expect(const struct file_identity *file) {
    pthread_mutex_lock(&watches.lock);
    struct watch *w = of_file(file);
    if (w)
        w->allowed = true;
    pthread_mutex_unlock(&watches.lock);
}

/* One entry for each thread is enough: the latest. */
void secret_watch_left(pid_t tid) {
    pthread_mutex_lock(&watches.lock);
    size_t at = 0;
    while (at < LEFT_MAX && watches.left[at].tid != tid)
        at++;
    if (at == LEFT_MAX)
        at = watches.next++ % LEFT_MAX;
    watches.left[at] = (struct left){tid, boottime_ns()};
    pthread_mutex_unlock(&watches.lock);
}

/* Whether the open that was told is none that was judged; *out gets the watch. Removed files are forgotten. */
static bool is_unjudged(const struct inotify_event *event, struct watch *out) {
    pthread_mutex_lock(&watches.lock);
    struct watch *w = of_number(event->wd);
    bool unjudged = w && (event->mask & IN_OPEN) && !w->allowed;
    if (w)
        *out = *w;
    if (w && (event->mask & IN_IGNORED))
        *w = watches.list[--watches.count];
    pthread_mutex_unlock(&watches.lock);
    return unjudged;
}

/* Whether one of the process's descriptors is the file; `path` gets its name then. */
static bool has_open(pid_t pid, const struct file_identity *file, char path[PATH_TEXT]) {
    char link[64];
    bool found = false;
    snprintf(link, sizeof link, "/proc/%d/fd", pid);
    DIR *folder = opendir(link);
    for (struct dirent *e; folder && !found && (e = readdir(folder));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(link, sizeof link, "/proc/%d/fd/%.20s", pid, e->d_name);
        struct file_identity open_file = file_identity_of(link);
        found = same(&open_file, file);
    }
    if (found)
        locate_link(pid, strchr(link + 6, '/') + 1, path);
    if (folder)
        closedir(folder);
    return found;
}

static void tell(const struct process *who, const struct file_identity *file, const char *path) {
    static struct message message;
    struct inscope_open body = {.device = file->device, .inode = file->inode};
    message_begin(&message, INSCOPE_OPEN, who, boottime_ns());
    message_body(&message, &body, sizeof body);
    message_text(&message, path, strlen(path), INSCOPE_PATH_MAX);
    message_flag(&message, INSCOPE_MISMATCH);
    message_flag(&message, INSCOPE_DENIED);
    queue_push(&message);
}

/* Those whose opens were left to the kernel a moment ago, copied out of the ring. */
static size_t suspects(pid_t out[LEFT_MAX]) {
    size_t count = 0;
    pthread_mutex_lock(&watches.lock);
    uint64_t since = boottime_ns() - LEFT_MS * 1000000ull;
    for (const struct left *l = watches.left; l < watches.left + LEFT_MAX; l++)
        if (l->tid && l->at_ns >= since)
            out[count++] = l->tid;
    pthread_mutex_unlock(&watches.lock);
    return count;
}

static void find_and_end(const struct file_identity *file) {
    static char path[PATH_TEXT];
    pid_t tids[LEFT_MAX];
    size_t count = suspects(tids);
    for (size_t i = 0; i < count; i++) {
        struct process who = process_read(tids[i]);
        if (!has_open(tids[i], file, path))
            continue;
        tell(&who, file, path); /* first: its end may be the agent's */
        kill(who.pid, SIGKILL);
        return;
    }
}

static void *run(void *unused) {
    static _Alignas(struct inotify_event) char events[EVENTS_BYTES];
    for (ssize_t n; (n = read(watches.fd, events, sizeof events)) > 0 || errno == EINTR;) {
        for (char *at = events; n > 0 && at < events + n;) {
            const struct inotify_event *event = (const void *)at;
            struct watch w;
            if (is_unjudged(event, &w) && stance_enforces() &&
                boottime_ns() - atomic_load(&begun_ns) > SETTLE_MS * 1000000ull)
                find_and_end(&w.file);
            at += sizeof *event + event->len;
        }
    }
    return unused;
}

void secret_watch_begin(void) { atomic_store(&begun_ns, boottime_ns()); }
