#define _GNU_SOURCE
#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel.h"
#include "locate.h"

static bool hexadecimal(const char **at, uint64_t *out) {
    const char *start = *at;
    *out = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out << 4 | (uint64_t)(c - 'a' + 10);
        else
            return *at > start;
    }
}

static const char *next_field(const char *at) {
    at += strcspn(at, " ");
    return at + strspn(at, " ");
}

static bool decimal(const char **at, uint64_t *out) {
    const char *start = *at;
    for (*out = 0; **at >= '0' && **at <= '9'; (*at)++)
        *out = *out * 10 + (uint64_t)(**at - '0');
    return *at > start;
}

static bool device(const char *at, uint64_t *out) {
    uint64_t high, low;
    if (!hexadecimal(&at, &high) || *at++ != ':' || !hexadecimal(&at, &low))
        return false;
    *out = makedev((unsigned)high, (unsigned)low);
    return true;
}

/* START-END PERMISSIONS OFFSET DEVICE INODE PATH */
bool mapping_parse(const char *line, struct mapping *out) {
    const char *at = line;
    if (!hexadecimal(&at, &out->start) || *at++ != '-' || !hexadecimal(&at, &out->end) || *at != ' ')
        return false;
    at = next_field(at);
    out->executable = strcspn(at, " ") >= 3 && at[2] == 'x';
    at = next_field(next_field(at));
    if (!device(at, &out->device))
        return false;
    at = next_field(at);
    if (!decimal(&at, &out->inode))
        return false;
    at += strspn(at, " ");
    size_t length = strcspn(at, "\n");
    if (length >= sizeof out->path)
        length = sizeof out->path - 1;
    memcpy(out->path, at, length);
    out->path[length] = 0;
    return true;
}

static bool query(int maps, uint64_t address, uint64_t flags, size_t room, struct mapping *out) {
    struct inscope_procmap_query q = {.size = sizeof q,
                                      .query_flags = INSCOPE_PROCMAP_COVERING_OR_NEXT | flags,
                                      .query_addr = address,
                                      .vma_name_size = (uint32_t)room,
                                      .vma_name_addr = room ? (uint64_t)(uintptr_t)out->path : 0};
    out->path[0] = 0;
    if (ioctl(maps, INSCOPE_PROCMAP_QUERY, &q) < 0)
        return errno == ENAMETOOLONG && room && query(maps, address, flags, 0, out);
    out->start = q.vma_start;
    out->end = q.vma_end;
    out->inode = q.inode;
    out->device = makedev(q.dev_major, q.dev_minor);
    out->executable = q.vma_flags & INSCOPE_PROCMAP_EXECUTABLE;
    return true;
}

static const char *line_of(struct mappings *m) {
    const char *line = m->text + m->taken;
    const char *end = memchr(line, '\n', m->have - m->taken);
    if (!end)
        return NULL;
    m->taken = (size_t)(end - m->text) + 1;
    return line;
}

/* The line stays where it is until the next is asked for. NULL: there is none. */
static const char *next_line(struct mappings *m) {
    const char *line = line_of(m);
    if (line)
        return line;
    m->have -= m->taken;
    memmove(m->text, m->text + m->taken, m->have);
    m->taken = 0;
    ssize_t n = read(m->fd, m->text + m->have, sizeof m->text - 1 - m->have);
    m->have += n > 0 ? (size_t)n : 0;
    m->text[m->have] = 0;
    return line_of(m);
}

/* Before Linux 6.11: by the text, line after line. */
static bool scan(struct mappings *m, uint64_t address, bool only_code, struct mapping *out) {
    for (const char *line; (line = next_line(m));)
        if (mapping_parse(line, out) && out->end > address && !(only_code && !(out->executable && out->inode)))
            return true;
    return false;
}

bool mappings_open(pid_t tid, struct mappings *out) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/maps", tid);
    out->have = out->taken = 0;
    out->by_text = false;
    out->fd = open(path, O_RDONLY | O_CLOEXEC);
    return out->fd >= 0;
}

void mappings_close(struct mappings *m) { close(m->fd); }

static bool next(struct mappings *m, uint64_t address, bool only_code, struct mapping *out) {
    uint64_t flags = only_code ? INSCOPE_PROCMAP_EXECUTABLE | INSCOPE_PROCMAP_FILE : 0;
    if (!m->by_text && query(m->fd, address, flags, sizeof out->path, out))
        return true;
    m->by_text = m->by_text || errno == ENOTTY;
    return m->by_text && scan(m, address, only_code, out);
}

bool mappings_next_code(struct mappings *m, uint64_t address, struct mapping *out) {
    return next(m, address, true, out);
}

bool mapping_at(pid_t tid, uint64_t address, struct mapping *out) {
    struct mappings m;
    if (!mappings_open(tid, &m))
        return false;
    bool found = next(&m, address, false, out);
    mappings_close(&m);
    return found;
}

/* The kernel's own link needs a capability; the name is tried otherwise, and believed when the inode is the same. */
int mapping_open(pid_t tid, const struct mapping *mapping) {
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid, mapping->start, mapping->end);
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    fd = locate(tid, AT_FDCWD, mapping->path[0] == '/' ? mapping->path : "/");
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_ino != mapping->inode)) {
        close(fd);
        return -ESTALE;
    }
    return fd;
}
