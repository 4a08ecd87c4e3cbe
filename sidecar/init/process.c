#define _GNU_SOURCE
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

enum { KEPT = 64, KEPT_NS = 50 * 1000 * 1000, STAT_MAX = 1024, STATUS_MAX = 4096, ANCESTORS_MAX = 1024 };

uint64_t boottime_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t read_proc(pid_t tid, const char *name, char *buffer, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, buffer, size - 1);
    close(fd);
    n = n < 0 ? 0 : n;
    buffer[n] = 0;
    return (size_t)n;
}

/* Fields are counted from the last ')': the command's name before it may contain anything. */
bool process_parse_stat(const char *text, size_t size, struct process *out) {
    enum { STATE = 3, PPID = 4, START = 22, STACK = 28 };
    const char *at = text + size;
    while (at > text && at[-1] != ')')
        at--;
    if (at == text)
        return false;
    const char *end = text + size;
    for (int field = STATE; field <= STACK; field++) {
        while (at < end && *at == ' ')
            at++;
        uint64_t value = 0;
        const char *digits = at;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        if (field == PPID)
            out->ppid = (pid_t)value;
        if (field == START)
            out->start = value;
        if (field == STACK) {
            out->stack = value;
            return at > digits;
        }
        while (at < end && *at != ' ')
            at++;
    }
    return false;
}

bool process_shares_network(pid_t tid) {
    char path[32];
    struct stat theirs, own;
    snprintf(path, sizeof path, "/proc/%d/ns/net", tid);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &own) == 0 && theirs.st_ino == own.st_ino;
}

bool process_is_stopped(pid_t pid) {
    char text[STAT_MAX];
    size_t size = read_proc(pid, "stat", text, sizeof text);
    const char *end = size ? memrchr(text, ')', size) : NULL;
    if (!end)
        return kill(pid, 0) == 0;
    return end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

/* A thread that leads its group has the group's number: tgkill with signal 0 says so without reading a file. */
static pid_t group_of(pid_t tid) {
    if (syscall(SYS_tgkill, tid, tid, 0) == 0)
        return tid;
    char text[STATUS_MAX];
    if (!read_proc(tid, "status", text, sizeof text))
        return tid;
    const char *line = strstr(text, "\nTgid:");
    return line ? (pid_t)strtol(line + 6, NULL, 10) : tid;
}

struct process process_read(pid_t tid) {
    struct process found = {.pid = group_of(tid), .tid = tid};
    char text[STAT_MAX];
    size_t size = read_proc(found.pid, "stat", text, sizeof text);
    if (!process_parse_stat(text, size, &found))
        found.start = found.stack = 0;
    return found;
}

/* Bounded: ids that come round again could make a ring. */
bool process_descends(pid_t pid) {
    pid_t init = getpid();
    for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
        pid = process_read(pid).ppid;
        if (pid == init)
            return true;
    }
    return false;
}

static struct {
    struct process process;
    uint64_t at_ns;
} kept[KEPT];

struct process process_refresh(pid_t tid, uint64_t now_ns) {
    size_t slot = (size_t)tid % KEPT;
    kept[slot].process = process_read(tid);
    kept[slot].at_ns = now_ns;
    return kept[slot].process;
}

struct process process_of(pid_t tid, uint64_t now_ns) {
    size_t slot = (size_t)tid % KEPT;
    if (kept[slot].process.tid == tid && now_ns - kept[slot].at_ns < KEPT_NS)
        return kept[slot].process;
    return process_refresh(tid, now_ns);
}
