#define _GNU_SOURCE
#include "gate_sight.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mapping.h"
#include "memory.h"
#include "path.h"
#include "sip.h"

enum { AUXV_PAIRS_MAX = 64 };

static int64_t nanoseconds(struct statx_timestamp t) { return t.tv_sec * 1000000000 + t.tv_nsec; }

/* What the kernel holds of it: a file system that does not answer must not hold up the gate. */
static struct inscope_file image_file_of(pid_t pid) {
    char link[32];
    struct statx st;
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    if (statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) < 0)
        return (struct inscope_file){0};
    return (struct inscope_file){.device = makedev(st.stx_dev_major, st.stx_dev_minor),
                                 .inode = st.stx_ino,
                                 .size = st.stx_size,
                                 .mtime_ns = nanoseconds(st.stx_mtime),
                                 .ctime_ns = nanoseconds(st.stx_ctime),
                                 .mode = st.stx_mode,
                                 .owner = st.stx_uid};
}

static uint64_t name_at(pid_t pid, uint64_t address) {
    char name[PATH_JOINED];
    size_t length;
    if (memory_text(pid, address, name, sizeof name, &length) != TEXT_WHOLE)
        return 0;
    return sip_bytes(name, length);
}

/* From the kernel's own copy of the vector. */
static void read_vector(pid_t pid, bool named, struct sight *s) {
    char path[32];
    uint64_t vector[AUXV_PAIRS_MAX][2];
    snprintf(path, sizeof path, "/proc/%d/auxv", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, vector, sizeof vector);
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof *vector && vector[i][0] != AT_NULL; i++) {
        if (vector[i][0] == AT_BASE)
            s->loader = vector[i][1];
        if (vector[i][0] == AT_EXECFN && named)
            s->name = name_at(pid, vector[i][1]);
    }
    s->readable = n > 0;
}

struct sight gate_sight(pid_t pid, bool named) {
    struct sight s = {.file = image_file_of(pid)};
    if (s.file.inode)
        read_vector(pid, named, &s);
    return s;
}

bool gate_sight_is(const struct sight *s, const struct inscope_file *judged) {
    const struct inscope_file *f = &s->file;
    return f->inode && f->inode == judged->inode && f->device == judged->device && f->size == judged->size &&
           f->mtime_ns == judged->mtime_ns && f->ctime_ns == judged->ctime_ns && f->mode == judged->mode &&
           f->owner == judged->owner;
}

int gate_sight_open(pid_t pid) {
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* The name of a mapping has no symbolic links. With none followed, another file system cannot be reached by it, so the
 * number of the inode says that it is the same file. */
int gate_sight_open_loader(pid_t pid, uint64_t address) {
    struct mapping mapping;
    char root[32];
    struct stat st;
    if (!mapping_at(pid, address, &mapping) || mapping.start > address || mapping.path[0] != '/')
        return -ENOENT;
    snprintf(root, sizeof root, "/proc/%d/root", pid);
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
    int fd = folder < 0 ? -1 : (int)syscall(SYS_openat2, folder, mapping.path, &how, sizeof how);
    if (folder >= 0)
        close(folder);
    if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_ino != mapping.inode)) {
        close(fd);
        return -ESTALE;
    }
    return fd;
}
