#define _GNU_SOURCE
#include "resolve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "locate.h"

enum { DETOURS_MAX = 4, LINK_TEXT = 64 };

static int result(long fd) { return fd < 0 ? -errno : (int)fd; }

/* An outer filter may refuse openat2: then links are followed as init sees them. */
static int walk(int base, const char *path, uint64_t flags, bool in_root) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW),
                           .resolve = RESOLVE_NO_MAGICLINKS | (in_root ? RESOLVE_IN_ROOT : 0)};
    int fd = result(syscall(SYS_openat2, base, path, &how, sizeof how));
    if (fd != -ENOSYS && fd != -EPERM)
        return fd;
    while (in_root && *path == '/')
        path++;
    return result(openat(base, *path ? path : ".", (int)how.flags)); /* a root by itself */
}

static int open_magic(const char *path) { return result(open(path, O_PATH | O_CLOEXEC)); }

static const char *after(const char *path, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(path, prefix, size) == 0 ? path + size : NULL;
}

/* What follows /proc/SELF/ where SELF is the caller by any of its names; else NULL. */
static const char *below_own_proc(const struct process *who, const char *path) {
    const char *rest = after(path, "/proc/");
    if (!rest)
        return NULL;
    const char *own = after(rest, "self/");
    if (!own)
        own = after(rest, "thread-self/");
    if (own || !isdigit((unsigned char)*rest))
        return own;
    char *end;
    long pid = strtol(rest, &end, 10);
    return *end == '/' && (pid == who->pid || pid == who->tid) ? end + 1 : NULL;
}

/* Descriptors by their other names. */
static const char *as_own_proc(const char *path, char out[LINK_TEXT]) {
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    const char *number = after(path, "/dev/fd/");
    for (int i = 0; i < 3; i++)
        if (strcmp(path, names[i]) == 0)
            snprintf(out, LINK_TEXT, "/proc/self/fd/%d", i), path = out;
    if (number && strlen(number) < 16)
        snprintf(out, LINK_TEXT, "/proc/self/fd/%s", number), path = out;
    return path;
}

/* The length of the magic link that leads out of a process's folder: root, cwd, exe, fd/N. 0: there is none. */
static size_t magic_length(const char *rest) {
    static const char *const names[] = {"root", "cwd", "exe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *end = after(rest, names[i]);
        if (end && (*end == '/' || *end == 0))
            return (size_t)(end - rest);
    }
    const char *digits = after(rest, "fd/");
    size_t count = digits ? strspn(digits, "0123456789") : 0;
    return count && count < 12 && (digits[count] == '/' || digits[count] == 0) ? 3 + count : 0;
}

static int within(int base, const char *rest, const struct lookup *what) {
    while (*rest == '/')
        rest++;
    if (base < 0 || *rest == 0)
        return base;
    int fd = walk(base, rest, what->flags, false);
    close(base);
    return fd;
}

/* In the caller's own folder of /proc: its magic links are followed, once, for they are what it would meet. */
static int in_own_proc(const struct process *who, const char *rest, const struct lookup *what) {
    char link[LINK_TEXT];
    size_t magic = magic_length(rest);
    if (magic && rest[magic] == 0 && (what->flags & O_NOFOLLOW))
        return -ELOOP;
    snprintf(link, sizeof link, "/proc/%d/%.*s", who->tid, (int)magic, rest);
    return within(open_magic(link), rest + magic, what);
}

static int by_root(const struct process *who, const char *path, const struct lookup *what) {
    char link[LINK_TEXT];
    if (!locate_roots_are_one()) {
        snprintf(link, sizeof link, "/proc/%d/root", who->tid);
        int root = open_magic(link);
        if (root < 0)
            return root;
        int fd = walk(root, path, what->flags, true);
        close(root);
        return fd;
    }
    return walk(AT_FDCWD, path, what->flags, false);
}

static int absolutely(const struct process *who, const char *path, const struct lookup *what) {
    char rewritten[LINK_TEXT];
    path = as_own_proc(path, rewritten);
    const char *rest = below_own_proc(who, path);
    return rest ? in_own_proc(who, rest, what) : by_root(who, path, what);
}

static int open_base(const struct process *who, int folder) {
    char link[LINK_TEXT];
    if (folder == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/%d/cwd", who->tid);
    else
        snprintf(link, sizeof link, "/proc/%d/fd/%d", who->tid, folder);
    int fd = open_magic(link);
    return fd == -ENOENT && folder != AT_FDCWD ? -EBADF : fd;
}

static int relatively(const struct process *who, const struct lookup *what) {
    int base = open_base(who, what->folder);
    if (base < 0)
        return base;
    int fd = walk(base, what->path, what->flags, false);
    close(base);
    return fd;
}

/* Where a link at the end of the path leads to a name that means the reader itself (/dev/stdout, /proc/self/fd/1), which
 * only init would be by following it. */
static int by_last_link(const struct process *who, const struct lookup *what) {
    char text[PATH_TEXT];
    struct lookup link = *what;
    link.flags |= O_NOFOLLOW;
    for (int detour = 0; detour < DETOURS_MAX; detour++) {
        int fd = link.path[0] == '/' ? absolutely(who, link.path, &link) : relatively(who, &link);
        ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        if (size <= 0 || text[0] != '/')
            return -ELOOP;
        text[size] = 0;
        link.path = text;
        fd = absolutely(who, text, what);
        if (fd != -ELOOP)
            return fd;
    }
    return -ELOOP;
}

int resolve(const struct process *who, const struct lookup *what) {
    if (!what->path[0])
        return -ENOENT;
    int fd = what->path[0] == '/' ? absolutely(who, what->path, what) : relatively(who, what);
    return fd == -ELOOP && !(what->flags & O_NOFOLLOW) ? by_last_link(who, what) : fd;
}
