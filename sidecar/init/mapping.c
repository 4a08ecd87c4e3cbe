#define _GNU_SOURCE
#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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

/* START-END PERMISSIONS OFFSET DEVICE INODE PATH */
bool mapping_parse(const char *line, struct mapping *out) {
    const char *at = line;
    if (!hexadecimal(&at, &out->start) || *at++ != '-' || !hexadecimal(&at, &out->end) || *at != ' ')
        return false;
    at = next_field(next_field(next_field(at + 1)));
    out->inode = 0;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        out->inode = out->inode * 10 + (uint64_t)(*at - '0');
    at += strspn(at, " ");
    size_t length = strcspn(at, "\n");
    if (length >= sizeof out->path)
        length = sizeof out->path - 1;
    memcpy(out->path, at, length);
    out->path[length] = 0;
    return true;
}

static bool query(int maps, uint64_t address, struct mapping *out) {
    struct inscope_procmap_query q = {.size = sizeof q,
                                      .query_flags = INSCOPE_PROCMAP_COVERING_OR_NEXT,
                                      .query_addr = address,
                                      .vma_name_size = sizeof out->path,
                                      .vma_name_addr = (uint64_t)(uintptr_t)out->path};
    out->path[0] = 0;
    if (ioctl(maps, INSCOPE_PROCMAP_QUERY, &q) < 0)
        return false;
    out->start = q.vma_start;
    out->end = q.vma_end;
    out->inode = q.inode;
    return true;
}

/* Before Linux 6.11: read the text up to the line. */
static bool scan(int maps, uint64_t address, struct mapping *out) {
    char text[PATH_TEXT + 256];
    size_t have = 0;
    for (;;) {
        ssize_t n = read(maps, text + have, sizeof text - 1 - have);
        have += n > 0 ? (size_t)n : 0;
        text[have] = 0;
        char *line = text, *end;
        for (; (end = strchr(line, '\n')); line = end + 1)
            if (mapping_parse(line, out) && out->end > address)
                return true;
        if (n <= 0 || line == text)
            return false;
        have -= (size_t)(line - text);
        memmove(text, line, have);
    }
}

bool mapping_at(pid_t tid, uint64_t address, struct mapping *out) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/maps", tid);
    int maps = open(path, O_RDONLY | O_CLOEXEC);
    if (maps < 0)
        return false;
    bool found = query(maps, address, out) || (errno == ENOTTY && scan(maps, address, out));
    close(maps);
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
