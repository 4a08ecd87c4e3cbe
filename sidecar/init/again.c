#define _GNU_SOURCE
#include "again.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors.h"
#include "image.h"
#include "locate.h"
#include "queue.h"

enum { DEPTH_MAX = 15 };

static struct inscope_head head_of(const struct message *record) {
    struct inscope_head head;
    memcpy(&head, record->bytes, sizeof head);
    return head;
}

/* By what runs now: nothing of it was run between the record and this, for the caller is held. */
static void report(const struct process *who) {
    static struct message message;
    static char path[PATH_TEXT];
    struct inscope_file file = {0};
    struct stat st;
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", who->pid);
    if (stat(link, &st) == 0)
        file = image_file(&st);
    uint64_t now_ns = boottime_ns();
    message_begin(&message, INSCOPE_PROCESS, who, now_ns);
    message_key(&message, actors_exec_key(who, now_ns));
    message_body(&message, &file, sizeof file);
    message_text(&message, path, locate_link(who->pid, "exe", path), INSCOPE_PATH_MAX);
    queue_push(&message);
}

static void introduce(pid_t pid, int depth) {
    if (pid <= 1 || pid == getpid() || depth == 0)
        return;
    struct process who = process_read(pid);
    if (who.start == 0)
        return;
    introduce(who.ppid, depth - 1);
    report(&who);
}

void again_introduce(const struct message *record) { introduce(head_of(record).pid, DEPTH_MAX); }

static bool names_a_file(enum inscope_kind kind) {
    return kind == INSCOPE_EXEC || kind == INSCOPE_IMAGE || kind == INSCOPE_LOAD;
}

/* The first string of a record that begins with a file; false: it has none, or one that is no path. */
static bool read_path(const struct message *record, char out[PATH_TEXT]) {
    size_t at = sizeof(struct inscope_head) + sizeof(struct inscope_file);
    uint16_t length;
    if (record->size < at + sizeof length)
        return false;
    memcpy(&length, record->bytes + at, sizeof length);
    if (length == 0 || length >= PATH_TEXT || record->size < at + sizeof length + length)
        return false;
    memcpy(out, record->bytes + at + sizeof length, length);
    out[length] = 0;
    return out[0] == '/';
}

static bool is_same(int fd, const struct inscope_file *file) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == file->device && st.st_ino == file->inode;
}

/* A file that is what it should be cannot block: it is regular. */
static int open_same(int path_fd, const struct inscope_file *file) {
    char link[32];
    if (!is_same(path_fd, file))
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    return open(link, O_RDONLY | O_CLOEXEC);
}

int again_open(const struct message *record) {
    static char path[PATH_TEXT];
    struct inscope_head head = head_of(record);
    struct inscope_file file;
    if (!names_a_file((enum inscope_kind)head.kind) || !read_path(record, path))
        return -1;
    memcpy(&file, record->bytes + sizeof head, sizeof file);
    int path_fd = locate(head.tid, AT_FDCWD, path);
    if (path_fd < 0)
        return -1;
    int fd = open_same(path_fd, &file);
    close(path_fd);
    return fd;
}
