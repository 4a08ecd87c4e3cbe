#define _GNU_SOURCE
#include "alien_code.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_set.h"
#include "locate.h"
#include "mapping.h"
#include "queue.h"

static struct file_identity image_of_process(pid_t tid) {
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", tid);
    return file_identity_of(link);
}

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* What the kernel calls the files behind anonymous shared memory: judged as memory. */
static bool is_memory(const struct mapping *m) {
    return strcmp(m->path, "/dev/zero (deleted)") == 0 || starts_with(m->path, "/SYSV");
}

/* Before Linux 6.6 a mapping in an overlay tells the numbers of the layer's file. Its name leads to the file that was
 * judged, then, which has the same inode number. */
static bool is_judged_by_name(pid_t tid, const struct mapping *m) {
    struct stat st;
    int fd = m->path[0] == '/' ? locate(tid, AT_FDCWD, m->path) : -1;
    bool judged = fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == m->inode &&
                  file_set_has_number(&code_files, st.st_dev, st.st_ino);
    if (fd >= 0)
        close(fd);
    return judged;
}

static bool is_alien(pid_t tid, const struct mapping *m, const struct file_identity *image) {
    return !(m->inode == image->inode && m->device == image->device) && !is_memory(m) &&
           !file_set_has_number(&code_files, m->device, m->inode) && !is_judged_by_name(tid, m);
}

static void tell(const struct process *who, const struct mapping *m) {
    static struct message message;
    struct inscope_file body = {.device = m->device, .inode = m->inode};
    message_begin(&message, INSCOPE_LOAD, who, boottime_ns());
    message_body(&message, &body, sizeof body);
    message_text(&message, m->path, strlen(m->path), INSCOPE_PATH_MAX);
    message_flag(&message, INSCOPE_MISMATCH);
    message_flag(&message, INSCOPE_DENIED);
    queue_push(&message);
}

/* The process that was looked at, and not another that got its number since. */
static void end(const struct process *who, const struct mapping *m) {
    struct process now = process_read(who->tid);
    if (now.start != who->start)
        return;
    tell(who, m); /* first: its end may be the agent's */
    kill(now.pid, SIGKILL);
}

/* The first alien mapping. An image that cannot be told apart (its process is about to end) has none. */
static bool find(pid_t tid, struct mappings *all, struct mapping *out) {
    struct file_identity image = image_of_process(tid);
    for (uint64_t at = 0; image.inode && mappings_next_code(all, at, out); at = out->end)
        if (is_alien(tid, out, &image))
            return true;
    return false;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mappings all;
static struct mapping one;
static bool too_much_before; /* of what ran before it was enforced some is not in the set, and would look alien */

/* The gate holds who is about to become another program, with its ELF interpreter mapped and not judged yet. */
static bool is_in_the_gate(pid_t tid) {
    char path[32], text[2048];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *line = strstr(text, "\nTracerPid:");
    pid_t tracer = line ? (pid_t)strtol(line + 11, NULL, 10) : 0; /* a thread */
    return tracer && process_read(tracer).pid == getpid();
}

/* The mappings are opened first: those of a program that is replaced meanwhile are empty then. */
static enum code_outcome look(pid_t tid, bool closely) {
    if (!mappings_open(tid, &all))
        return CODE_GONE;
    bool alien = !(closely && is_in_the_gate(tid)) && find(tid, &all, &one);
    mappings_close(&all);
    return alien ? CODE_KILLED : CODE_JUDGED;
}

static enum code_outcome look_twice(pid_t tid) {
    enum code_outcome outcome = look(tid, false);
    struct process who = process_read(tid);
    if (outcome != CODE_KILLED || too_much_before)
        return outcome == CODE_KILLED ? CODE_JUDGED : outcome;
    outcome = look(tid, true);
    if (outcome == CODE_KILLED)
        end(&who, &one);
    return outcome;
}

enum code_outcome alien_code_look(pid_t tid) {
    pthread_mutex_lock(&lock);
    enum code_outcome outcome = look_twice(tid);
    pthread_mutex_unlock(&lock);
    return outcome;
}

void alien_code_accept(pid_t tid) {
    pthread_mutex_lock(&lock);
    if (mappings_open(tid, &all)) {
        for (uint64_t at = 0; mappings_next_code(&all, at, &one); at = one.end)
            too_much_before |= !file_set_add(&code_files, &(struct file_identity){one.device, one.inode, 0});
        mappings_close(&all);
    }
    pthread_mutex_unlock(&lock);
}
