/* Execs: the image as the caller named it, opened before the call goes on, with the arguments. An exec of what is not
 * there, or not a regular file with an execute bit, fails by itself (the search along PATH): it gives no record, and if
 * it succeeds after all, the watch reports the image as a mismatch. Where it is enforced it is refused by that error. */
#include "decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "actors.h"
#include "counters.h"
#include "gate.h"
#include "known.h"
#include "lineage.h"
#include "locate.h"
#include "memory.h"
#include "seen.h"
#include "sip.h"
#include "stance.h"
#include "watch.h"

enum { POINTERS_AT_ONCE = 32 };

static struct {
    char path[PATH_TEXT], folder[PATH_TEXT], absolute[PATH_JOINED], argument[INSCOPE_ARGV_MAX + 1];
    size_t length, folder_length, absolute_length;
    unsigned flags;
} text;

static void read_path(pid_t tid, uint64_t path) {
    text.flags = 0;
    enum text_outcome outcome = memory_text(tid, path, text.path, sizeof text.path, &text.length);
    if (outcome == TEXT_CUT)
        text.flags |= INSCOPE_TRUNCATED;
    if (outcome == TEXT_UNREADABLE)
        text.flags |= INSCOPE_UNREADABLE;
}

static void read_folders(pid_t tid, int folder) {
    text.folder_length = locate_link(tid, "cwd", text.folder);
    text.absolute_length = locate_absolute(tid, folder, text.path, text.absolute);
}

struct arguments {
    pid_t tid;
    uint64_t count;
    size_t bytes;
};

/* One string into the message; false: no room for more, or unreadable. */
static bool read_argument(struct message *m, struct arguments *a, uint64_t address) {
    size_t length, room = INSCOPE_ARGV_MAX - a->bytes;
    enum text_outcome outcome = memory_text(a->tid, address, text.argument, room + 1, &length);
    if (outcome == TEXT_UNREADABLE)
        text.flags |= INSCOPE_UNREADABLE;
    if (outcome == TEXT_CUT)
        text.flags |= INSCOPE_TRUNCATED;
    message_text(m, text.argument, length, room);
    a->bytes += length;
    a->count++;
    return outcome == TEXT_WHOLE;
}

static uint16_t read_argv(struct message *m, pid_t tid, uint64_t argv) {
    uint64_t pointers[POINTERS_AT_ONCE];
    struct arguments a = {.tid = tid};
    while (argv && a.count < INSCOPE_ARGV_ITEMS_MAX) {
        size_t have = memory_copy(tid, argv + 8 * a.count, pointers, sizeof pointers) / 8;
        if (have == 0)
            text.flags |= INSCOPE_UNREADABLE;
        for (size_t i = 0; i < have; i++)
            if (pointers[i] == 0 || !read_argument(m, &a, pointers[i]))
                return (uint16_t)a.count;
        if (have == 0)
            break;
    }
    if (a.count == INSCOPE_ARGV_ITEMS_MAX)
        text.flags |= INSCOPE_TRUNCATED;
    return (uint16_t)a.count;
}

static uint16_t write_strings(struct trap *t, uint64_t argv) {
    struct inscope_file room = {0};
    bool absolute = text.absolute_length > 0;
    trap_begin(t, INSCOPE_EXEC);
    message_body(t->message, &room, sizeof room);
    message_text(t->message, absolute ? text.absolute : text.path, absolute ? text.absolute_length : text.length,
                 INSCOPE_PATH_MAX);
    message_text(t->message, text.folder, text.folder_length, INSCOPE_PATH_MAX);
    return read_argv(t->message, (pid_t)t->call->pid, argv);
}

/* Errors that the caller's own exec meets as well. */
static bool fails_by_itself(int path_fd, const struct image *image) {
    if (path_fd >= 0 || image->file.inode)
        return !image->regular || !(image->file.mode & (S_IXUSR | S_IXGRP | S_IXOTH));
    return path_fd == -ENOENT || path_fd == -ENOTDIR || path_fd == -ELOOP || path_fd == -ENAMETOOLONG ||
           path_fd == -EBADF;
}

/* The O_PATH descriptor of the image, or a negative errno; -1 with an inode: it was handed over a moment ago. */
static int open_image(struct trap *t, int folder, struct image *image) {
    struct stat st;
    pid_t tid = (pid_t)t->call->pid;
    if (locate_stat(tid, text.path, &st) && image_recent(&st, t->call->data.nr, t->now_ns, image, NULL))
        return -1;
    int path_fd = text.flags & INSCOPE_UNREADABLE ? -EFAULT : locate(tid, folder, text.path);
    *image = image_of(path_fd, t->call->data.nr);
    return path_fd;
}

/* The same file under the same name. What the arguments add is the sidecar's to say: it calls an exec known only where
 * they do not matter. A path that depends on a folder is read in full instead. */
static bool is_known(struct trap *t, const struct image *image, uint64_t *actor) {
    uint64_t facts[FILE_FACTS + 1];
    if (text.flags || !image->regular || !path_is_plain(text.path))
        return false;
    trap_file_facts(&image->file, facts);
    facts[FILE_FACTS] = sip_bytes(text.path, text.length);
    t->key = trap_key(t, INSCOPE_EXEC, facts, FILE_FACTS + 1);
    return known_holds(t->key, actor);
}

/* As the kernel will call it: the text by which an image, and the script that it interprets, is told to it. */
static uint64_t name_of(int folder) {
    if (text.path[0] == '/' || folder == AT_FDCWD)
        return sip_bytes(text.path, text.length);
    char name[PATH_JOINED];
    int length = snprintf(name, sizeof name, "/dev/fd/%d%s%s", folder, text.length ? "/" : "", text.path);
    return sip_bytes(name, (size_t)length);
}

/* What runs is held against what was judged, whose descriptor keeps its inode's number from being given out anew. */
static struct plan exec_plan(const struct trap *t, int folder, struct image *image, uint64_t actor) {
    struct plan plan = trap_plan(t);
    bool unreadable, looks = image->path_fd >= 0 && stance_enforces();
    if (looks)
        image_open(image, false, t->now_ns, &unreadable);
    plan.carry_out = gate_exec;
    plan.fd = looks ? fcntl(image->path_fd, F_DUPFD_CLOEXEC, 0) : -1;
    plan.of.exec.file = image->file;
    plan.of.exec.interpreted = image->interpreted;
    plan.of.exec.name = name_of(folder);
    plan.of.exec.actor = actor;
    return plan;
}

static void pass_known(struct trap *t, int folder, struct image *image, uint64_t actor) {
    struct plan plan = exec_plan(t, folder, image, actor);
    struct known_exec exec = {actor, t->key, &image->file, actors_run(&t->who, &image->file)};
    if (!trap_decide(t, true, &plan, 0))
        return;
    seen_exec(t->who.pid);
    actors_exec_known(&t->who, t->now_ns, exec);
    watch_exec(t, image, false);
}

static void pass_told(struct trap *t, int folder, uint64_t argv, int path_fd, struct image *image) {
    bool fails = fails_by_itself(path_fd, image);
    if (fails && stance_enforces()) { /* what is found there a moment later was not judged */
        trap_refuse(t, path_fd < -1 ? -path_fd : EACCES);
        return;
    }
    lineage_introduce(t);
    read_folders((pid_t)t->call->pid, folder);
    if (!fails)
        image->file.argc = write_strings(t, argv);
    struct plan plan = exec_plan(t, folder, image, 0);
    if (!trap_decide(t, false, &plan, 1))
        return;
    seen_exec(t->who.pid);
    if (!fails) {
        actors_changed(&t->who, t->now_ns);
        trap_queue_image(t, image, text.flags | (path_fd < 0 && !image->file.inode ? INSCOPE_UNREADABLE : 0));
    }
    watch_exec(t, image, !fails);
}

void decode_exec(struct trap *t, int folder, uint64_t path, uint64_t argv) {
    pid_t tid = (pid_t)t->call->pid;
    t->who = process_refresh(tid, t->now_ns);
    trap_recognise(t);
    read_path(tid, path);
    struct image image;
    uint64_t actor;
    int path_fd = open_image(t, folder, &image);
    if (is_known(t, &image, &actor))
        pass_known(t, folder, &image, actor);
    else
        pass_told(t, folder, argv, path_fd, &image);
    image_close(&image);
}
