#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stance.h"

enum { SETS = 64, WAYS = 4, PROC_MAGIC = 0x9fa0 };

/* What was learned of a file at its last opening; good for IMAGE_AGAIN_MS while the file's facts are the same. */
static struct looked {
    uint64_t device, inode, size, at_ns;
    int64_t mtime_ns, ctime_ns;
    unsigned generation;
    bool writable, interpreted, passed;
    char name[IMAGE_NAME_MAX];
} looked[SETS][WAYS];

static _Atomic unsigned generation;

void image_forget_all(void) { atomic_fetch_add(&generation, 1); }

static struct looked *set_of(const struct inscope_file *file) {
    return looked[(file->inode * 0x9e3779b97f4a7c15u + file->device * 31) >> 58];
}

/* What is known of the file, or else the entry that was made longest ago. */
static struct looked *slot_of(const struct inscope_file *file) {
    struct looked *set = set_of(file), *oldest = set;
    for (struct looked *p = set; p < set + WAYS; p++) {
        if (p->inode == file->inode && p->device == file->device)
            return p;
        if (p->at_ns < oldest->at_ns)
            oldest = p;
    }
    return oldest;
}

static int64_t nanoseconds(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

struct inscope_file image_file(const struct stat *st) {
    return (struct inscope_file){.device = st->st_dev,
                                 .inode = st->st_ino,
                                 .size = (uint64_t)st->st_size,
                                 .mtime_ns = nanoseconds(st->st_mtim),
                                 .ctime_ns = nanoseconds(st->st_ctim),
                                 .mode = st->st_mode,
                                 .owner = st->st_uid};
}

static void describe(struct image *image, const struct stat *st) {
    int nr = image->file.nr;
    image->regular = S_ISREG(st->st_mode);
    image->file = image_file(st);
    image->file.nr = nr;
}

struct image image_of(int path_fd, int nr) {
    struct image image = {.path_fd = path_fd < 0 ? -1 : path_fd, .file = {.nr = nr}};
    struct stat st;
    if (path_fd >= 0 && fstat(path_fd, &st) == 0)
        describe(&image, &st);
    return image;
}

void image_close(struct image *image) {
    if (image->path_fd >= 0)
        close(image->path_fd);
    image->path_fd = -1;
}

/* Init runs with the credentials that the agent was started with. The owner counts as a writer where the mode forbids
 * it now: it can change the mode. */
bool image_writable(int fd, uint32_t owner) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (faccessat(AT_FDCWD, link, W_OK, AT_EACCESS) == 0)
        return true;
    return errno == EACCES && owner == geteuid();
}

static bool starts_like_elf(int fd) {
    char magic[4];
    return pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "\177ELF", sizeof magic) == 0;
}

static bool same(const struct looked *p, const struct inscope_file *file) {
    return p->generation == atomic_load(&generation) && p->device == file->device &&
           p->inode == file->inode && p->size == file->size && p->mtime_ns == file->mtime_ns &&
           p->ctime_ns == file->ctime_ns;
}

static bool recent(const struct looked *p, const struct inscope_file *file, uint64_t now_ns) {
    if (p->writable && stance_enforces()) /* judged by its content, which may be another by now */
        return false;
    return same(p, file) && now_ns - p->at_ns < IMAGE_AGAIN_MS * 1000000ull;
}

bool image_recent(const struct stat *st, int nr, uint64_t now_ns, struct image *out, const char **name) {
    *out = (struct image){.path_fd = -1, .file = {.nr = nr}};
    describe(out, st);
    const struct looked *p = slot_of(&out->file);
    if (!out->regular || !p->passed || !recent(p, &out->file, now_ns))
        return false;
    out->file.writable = p->writable;
    out->interpreted = p->interpreted;
    if (name)
        *name = p->name;
    return true;
}

void image_named(const struct image *image, const char *name, size_t length) {
    struct looked *p = slot_of(&image->file);
    if (same(p, &image->file) && length < sizeof p->name)
        memcpy(p->name, name, length + 1);
}

static void remember(struct looked *p, const struct image *image, uint64_t now_ns, bool passed) {
    const struct inscope_file *f = &image->file;
    *p = (struct looked){f->device,   f->inode,     f->size,
                         now_ns,      f->mtime_ns,  f->ctime_ns,
                         atomic_load(&generation), f->writable, image->interpreted,
                         passed,      ""};
}

/* A file of procfs can name init itself when init opens it. */
static int reopen(int path_fd, const char *link) {
    struct statfs fs;
    if (fstatfs(path_fd, &fs) < 0 || fs.f_type == PROC_MAGIC)
        return -1;
    return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int image_open(struct image *image, bool wanted, uint64_t now_ns, bool *unreadable) {
    if (!image->regular)
        return -1;
    struct looked *p = slot_of(&image->file);
    if (recent(p, &image->file, now_ns) && (p->passed || !wanted)) {
        image->file.writable = p->writable;
        image->interpreted = p->interpreted;
        return -1;
    }
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", image->path_fd);
    image->file.writable = image_writable(image->path_fd, image->file.owner);
    int fd = reopen(image->path_fd, link);
    if (fd < 0) {
        *unreadable = true;
        return -1;
    }
    image->interpreted = !starts_like_elf(fd);
    remember(p, image, now_ns, wanted);
    if (wanted)
        return fd;
    close(fd);
    return -1;
}

void image_not_passed(const struct image *image) { slot_of(&image->file)->passed = false; }
