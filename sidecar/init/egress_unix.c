#define _GNU_SOURCE
#include "egress_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef __NR_openat2
#define __NR_openat2 437
#endif

enum { NO_MAGIC_LINKS = 2, STATUS_MAX = 4096, PROC_ROOM = 48 };

struct how {
    uint64_t flags, mode, resolve;
};

static bool same_file(pid_t tid, const char *name, const char *ours) {
    char path[PROC_ROOM];
    struct stat theirs, own;
    snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
    return stat(path, &theirs) == 0 && stat(ours, &own) == 0 && theirs.st_dev == own.st_dev &&
           theirs.st_ino == own.st_ino;
}

static bool read_status(const char *who, char text[STATUS_MAX]) {
    char path[PROC_ROOM];
    snprintf(path, sizeof path, "/proc/%s/status", who);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, STATUS_MAX - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = 0;
    return n > 0;
}

static bool same_line(const char *theirs, const char *ours, const char *name) {
    const char *their = strstr(theirs, name), *our = strstr(ours, name);
    size_t length = our ? 1 + strcspn(our + 1, "\n") : 0;
    return their && our && strncmp(their, our, length + 1) == 0;
}

/* All that decides about files: users, groups, capabilities. */
static bool same_rights(pid_t tid) {
    static const char *const lines[] = {"\nUid:", "\nGid:", "\nGroups:", "\nCapEff:"};
    char who[PROC_ROOM], theirs[STATUS_MAX], ours[STATUS_MAX];
    snprintf(who, sizeof who, "%d", tid);
    bool same = read_status(who, theirs) && read_status("thread-self", ours);
    for (size_t i = 0; same && i < sizeof lines / sizeof *lines; i++)
        same = same_line(theirs, ours, lines[i]);
    return same;
}

bool egress_unix_is_path(const struct plan *plan) {
    const struct sockaddr_un *to = (const void *)plan->of.socket.address;
    return plan->of.socket.length > offsetof(struct sockaddr_un, sun_path) && to->sun_family == AF_UNIX &&
           to->sun_path[0];
}

static int folder_of(pid_t tid) {
    char path[PROC_ROOM];
    snprintf(path, sizeof path, "/proc/%d/cwd", tid);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Init must not find what the caller could not, nor by names that mean init itself. */
int egress_unix_open(const struct plan *plan) {
    const struct sockaddr_un *to = (const void *)plan->of.socket.address;
    size_t room = plan->of.socket.length - offsetof(struct sockaddr_un, sun_path);
    char name[sizeof to->sun_path + 1] = "";
    memcpy(name, to->sun_path, room < sizeof to->sun_path ? room : sizeof to->sun_path);
    pid_t tid = plan->who.tid;
    if (!same_file(tid, "root", "/") || !same_file(tid, "ns/mnt", "/proc/self/ns/mnt") || !same_rights(tid))
        return -EACCES;
    int folder = name[0] == '/' ? AT_FDCWD : folder_of(tid);
    if (folder == -1)
        return -EACCES;
    struct how how = {.flags = O_PATH | O_CLOEXEC, .resolve = NO_MAGIC_LINKS};
    int fd = (int)syscall(__NR_openat2, folder, name, &how, sizeof how);
    int result = fd < 0 ? -errno : fd;
    if (folder >= 0)
        close(folder);
    return result == -ENOSYS || result == -EPERM ? -EACCES : result;
}
