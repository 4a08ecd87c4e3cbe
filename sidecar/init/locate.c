#define _GNU_SOURCE
#include "locate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_path(int folder, const char *path) {
    int fd = openat(folder, path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_link(pid_t tid, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
    return open_path(AT_FDCWD, path);
}

int locate_descriptor(pid_t tid, int descriptor) {
    char name[32];
    snprintf(name, sizeof name, "fd/%d", descriptor);
    return open_link(tid, name);
}

static int open_folder(pid_t tid, int folder) {
    return folder == AT_FDCWD ? open_link(tid, "cwd") : locate_descriptor(tid, folder);
}

static bool own_roots;

void locate_roots_differ(void) { own_roots = true; }

bool locate_roots_are_one(void) { return !own_roots; }

/* Absolute symbolic links must be followed below the caller's root, and magic links not at all. An outer filter may
 * refuse openat2: then links are followed from init's root, and the image's mismatch is what tells. */
static int open_below(int root, const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    if (root != AT_FDCWD)
        how.resolve |= RESOLVE_IN_ROOT;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd < 0 ? -errno : fd;
    while (root != AT_FDCWD && *path == '/')
        path++;
    return open_path(root, *path ? path : ".");
}

static const char *after(const char *path, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(path, prefix, size) == 0 ? path + size : NULL;
}

/* Paths that mean the reader itself: said of the caller instead. NULL: not such a path. */
static const char *as_caller(pid_t tid, const char *path, char out[PATH_JOINED]) {
    const char *rest;
    if ((rest = after(path, "/proc/self/")) || (rest = after(path, "/proc/thread-self/")))
        snprintf(out, PATH_JOINED, "/proc/%d/%s", tid, rest);
    else if ((rest = after(path, "/dev/fd/")))
        snprintf(out, PATH_JOINED, "/proc/%d/fd/%s", tid, rest);
    else if (after(path, "/proc/"))
        snprintf(out, PATH_JOINED, "%s", path);
    else
        return NULL;
    return out;
}

bool locate_stat(pid_t tid, const char *path, struct stat *out) {
    char rewritten[PATH_JOINED];
    return path[0] == '/' && !own_roots && !as_caller(tid, path, rewritten) && stat(path, out) == 0;
}

bool locate_descriptor_stat(pid_t tid, int descriptor, struct stat *out) {
    char link[48];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", tid, descriptor);
    return stat(link, out) == 0;
}

static int locate_absolutely(pid_t tid, const char *path) {
    char rewritten[PATH_JOINED];
    const char *own = as_caller(tid, path, rewritten);
    if (own)
        return open_path(AT_FDCWD, own);
    if (!own_roots)
        return open_below(AT_FDCWD, path);
    int root = open_link(tid, "root");
    if (root < 0)
        return root;
    int fd = open_below(root, path);
    close(root);
    return fd;
}

int locate(pid_t tid, int folder, const char *path) {
    if (path[0] == '/')
        return locate_absolutely(tid, path);
    if (path[0] == 0)
        return open_folder(tid, folder);
    int base = open_folder(tid, folder);
    if (base < 0)
        return base;
    int fd = open_path(base, path);
    close(base);
    return fd;
}

static size_t read_link(const char *path, char out[PATH_TEXT]) {
    ssize_t n = readlink(path, out, PATH_TEXT - 1);
    n = n < 0 ? 0 : n;
    out[n] = 0;
    return (size_t)n;
}

size_t locate_link(pid_t tid, const char *name, char out[PATH_TEXT]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
    return read_link(path, out);
}

size_t locate_own_link(int fd, char out[PATH_TEXT]) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return read_link(path, out);
}

size_t locate_absolute(pid_t tid, int folder, const char *path, char out[PATH_JOINED]) {
    char base[PATH_TEXT] = "", name[32] = "cwd";
    if (path[0] == '/')
        return path_absolute("", path, out);
    if (folder != AT_FDCWD)
        snprintf(name, sizeof name, "fd/%d", folder);
    if (!locate_link(tid, name, base)) {
        out[0] = 0;
        return 0;
    }
    if (path[0])
        return path_absolute(base, path, out);
    memcpy(out, base, strlen(base) + 1);
    return strlen(base);
}
