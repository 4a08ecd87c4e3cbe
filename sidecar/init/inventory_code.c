#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "folders.h"
#include "inventory.h"
#include "launch.h"
#include "loader.h"
#include "locate.h"
#include "python_folders.h"
#include "walk.h"

enum { PACKAGES_DEPTH = 8 };

struct search {
    struct listing *l;
    struct folders seen;
    struct walk walk;
};

static bool in_listed_folder(const struct folders *seen, const char *path) {
    struct stat st;
    char folder[PATH_TEXT];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    memcpy(folder, path, length);
    folder[length] = 0;
    if (stat(length ? folder : "/", &st) < 0)
        return true;
    for (size_t i = 0; i < seen->count; i++)
        if (seen->seen[i].device == st.st_dev && seen->seen[i].inode == st.st_ino)
            return true;
    return false;
}

/* The real path of what a link leads to, when that is a regular file elsewhere. */
static size_t led_elsewhere(const struct folders *seen, const char *path, char out[PATH_TEXT]) {
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    size_t length = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? locate_own_link(fd, out) : 0;
    if (fd >= 0)
        close(fd);
    return length && !in_listed_folder(seen, out) ? length : 0;
}

static bool add(struct search *s, const char *path, size_t length, bool is_link) {
    char elsewhere[PATH_TEXT];
    if (!is_link)
        return listing_add(s->l, path, length);
    length = led_elsewhere(&s->seen, path, elsewhere);
    return length == 0 || listing_add(s->l, elsewhere, length);
}

static bool visit_executable(void *search, const char *path, size_t length, bool is_link) {
    struct search *s = search;
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
        return add(s, path, length, is_link);
    return listing_goes_on(s->l);
}

/* libx.so, libx.so.1.2, x.cpython-311-x86_64-linux-gnu.so */
static bool is_library(const char *path) {
    const char *at = strrchr(path, '/');
    while (at && (at = strstr(at, ".so"))) {
        at += 3;
        if (*at == 0 || *at == '.')
            return true;
    }
    return false;
}

static bool visit_library(void *search, const char *path, size_t length, bool is_link) {
    struct search *s = search;
    return is_library(path) ? add(s, path, length, is_link) : listing_goes_on(s->l);
}

static void in_folder(void *search, const char *folder) {
    struct search *s = search;
    walk_below(&s->walk, folder, 0);
}

static void in_packages(void *search, const char *folder) {
    struct search *s = search;
    walk_below(&s->walk, folder, PACKAGES_DEPTH);
}

static void start(struct search *s, struct listing *l, bool (*visit)(void *, const char *, size_t, bool)) {
    s->l = l;
    s->seen.count = 0;
    s->walk = (struct walk){.seen = &s->seen, .canonical = true, .visit = visit, .context = s};
}

/* What the agent itself runs is within reach wherever it lies: an interpreter above all. */
static void own_image(struct search *s) {
    char link[32], path[PATH_TEXT];
    snprintf(link, sizeof link, "/proc/%d/exe", atomic_load(&launch_agent));
    size_t length = led_elsewhere(&s->seen, link, path);
    if (length)
        listing_add(s->l, path, length);
}

static void executables(struct search *s, struct listing *l) {
    start(s, l, visit_executable);
    listing_begin(l, INSCOPE_SURVEY_EXECUTABLES);
    folders_each(getenv("PATH"), in_folder, s);
    own_image(s);
    listing_end(l);
}

static void libraries(struct search *s, struct listing *l, const struct options *options) {
    start(s, l, visit_library);
    listing_begin(l, INSCOPE_SURVEY_LIBRARIES);
    loader_each_folder(in_folder, s);
    folders_each(getenv("LD_LIBRARY_PATH"), in_folder, s);
    python_folders_each(options, in_packages, s);
    listing_end(l);
}

/* Where the agent could put code and then run it. */
static void add_if_writable(void *search, const char *path) {
    struct search *s = search;
    struct statvfs fs;
    char canonical[PATH_TEXT];
    DIR *folder = folders_open(&s->seen, path, canonical);
    if (!folder)
        return;
    bool writable = fstatvfs(dirfd(folder), &fs) == 0 && !(fs.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
                    faccessat(AT_FDCWD, canonical, W_OK | X_OK, AT_EACCESS) == 0;
    closedir(folder);
    if (writable)
        listing_add(s->l, canonical, strlen(canonical));
}

static void writable_code(struct search *s, struct listing *l, const struct options *options) {
    static const char *const usual[] = {".", "/tmp", "/var/tmp", "/dev/shm"};
    start(s, l, NULL);
    listing_begin(l, INSCOPE_SURVEY_WRITABLE_CODE);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        add_if_writable(s, usual[i]);
    folders_each(getenv("HOME"), add_if_writable, s);
    folders_each(getenv("TMPDIR"), add_if_writable, s);
    folders_each(getenv("PATH"), add_if_writable, s);
    python_folders_each(options, add_if_writable, s);
    listing_end(l);
}

void inventory_code(struct listing *l, const struct options *options) {
    static struct search s;
    executables(&s, l);
    libraries(&s, l, options);
    writable_code(&s, l, options);
}
