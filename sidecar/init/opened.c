#define _GNU_SOURCE
#include "opened.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "guard.h"
#include "locate.h"
#include "openflags.h"

enum { PROC_MAGIC = 0x9fa0 };

static _Atomic bool rights_differ;

void opened_rights_differ(void) { atomic_store(&rights_differ, true); }

/* Asked once for each device: most files are on the same few. */
static bool is_proc(int fd, uint64_t device) {
    static uint64_t asked = UINT64_MAX;
    static bool answer;
    struct statfs fs;
    if (device != asked) {
        answer = fstatfs(fd, &fs) < 0 || fs.f_type == PROC_MAGIC;
        asked = device;
    }
    return answer;
}

static void describe(struct opened *out) {
    struct statx st;
    if (statx(out->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0) {
        int error = errno;
        close(out->fd);
        out->fd = -error;
        return;
    }
    out->mode = st.stx_mode;
    out->links = st.stx_nlink;
    out->file.device = makedev(st.stx_dev_major, st.stx_dev_minor);
    out->file.inode = st.stx_ino;
    if (st.stx_mask & STATX_BTIME)
        out->file.born_ns = (int64_t)st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
    out->in_proc = is_proc(out->fd, out->file.device);
    out->length = locate_own_link(out->fd, out->real);
}

void opened_find(const struct process *who, const struct lookup *what, struct opened *out) {
    out->fd = resolve(who, what);
    out->mode = out->links = 0;
    out->in_proc = false;
    out->file = (struct file_identity){0};
    out->length = 0;
    out->real[0] = 0;
    if (out->fd >= 0)
        describe(out);
}

int opened_fails(const struct opened *o, uint64_t flags) {
    if (o->fd < 0)
        return o->fd == -ENOENT && (flags & O_CREAT) ? 0 : -o->fd;
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return EEXIST;
    if (S_ISLNK(o->mode))
        return ELOOP;
    if (S_ISDIR(o->mode) && (flags & OPEN_WRITE_FLAGS) && (flags & O_TMPFILE) != O_TMPFILE)
        return EISDIR;
    return !S_ISDIR(o->mode) && (flags & O_DIRECTORY) ? ENOTDIR : 0;
}

bool opened_is_deliverable(const struct opened *o) {
    return o->fd >= 0 && S_ISREG(o->mode) && !o->in_proc && !atomic_load(&rights_differ);
}

bool opened_is_guards(const struct opened *o) {
    return o->in_proc && strncmp(o->real, "/proc/", 6) == 0 && guard_has((pid_t)strtol(o->real + 6, NULL, 10));
}

bool opened_is_memory(const struct opened *o) {
    return o->in_proc && S_ISREG(o->mode) && o->length > 4 && memcmp(o->real + o->length - 4, "/mem", 4) == 0;
}
