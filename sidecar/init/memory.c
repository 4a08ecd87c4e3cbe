#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, TEXT_FIRST = 256 };

/* Containerd 1.6's default filter has no process_vm_readv; /proc/PID/mem asks for the same right. */
static size_t copy_by_file(pid_t tid, uint64_t address, void *out, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = pread(fd, out, size, (off_t)address);
    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

/* The kernel stops at the first part that faults, so the parts are cut at the page's end. */
size_t memory_copy(pid_t tid, uint64_t address, void *out, size_t size) {
    size_t first = PAGE - (address & (PAGE - 1));
    if (first > size)
        first = size;
    struct iovec local = {out, size};
    struct iovec remote[2] = {{(void *)(uintptr_t)address, first},
                              {(void *)(uintptr_t)(address + first), size - first}};
    ssize_t n = process_vm_readv(tid, &local, 1, remote, size > first ? 2 : 1, 0);
    if (n < 0 && (errno == ENOSYS || errno == EPERM))
        return copy_by_file(tid, address, out, size);
    return n < 0 ? 0 : (size_t)n;
}

enum text_outcome memory_text(pid_t tid, uint64_t address, char *out, size_t size, size_t *length) {
    size_t have = 0, room = size - 1;
    while (have < room) {
        size_t want = room - have;
        if (have == 0 && want > TEXT_FIRST)
            want = TEXT_FIRST;
        else if (want > PAGE)
            want = PAGE;
        size_t got = memory_copy(tid, address + have, out + have, want);
        const char *end = memchr(out + have, 0, got);
        if (end) {
            *length = (size_t)(end - out);
            return TEXT_WHOLE;
        }
        have += got;
        if (got < want)
            break;
    }
    out[have] = 0;
    *length = have;
    char more = 1;
    if (have < room || !memory_copy(tid, address + have, &more, 1))
        return TEXT_UNREADABLE;
    return more ? TEXT_CUT : TEXT_WHOLE;
}
