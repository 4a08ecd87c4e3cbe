#include "payload.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"

static _Atomic size_t held;

static struct payload *room_for(size_t size) {
    if (atomic_fetch_add(&held, size) + size <= PAYLOADS_BYTES_MAX) {
        struct payload *made = malloc(sizeof *made + size);
        if (made) {
            made->size = size;
            return made;
        }
    }
    atomic_fetch_sub(&held, size);
    errno = ENOBUFS;
    return NULL;
}

struct payload *payload_copy(pid_t tid, uint64_t address, uint64_t size) {
    struct payload *copy = room_for(size < PAYLOAD_MAX ? (size_t)size : PAYLOAD_MAX);
    if (!copy || memory_copy(tid, address, copy->bytes, copy->size) == copy->size)
        return copy;
    payload_drop(copy);
    errno = EFAULT;
    return NULL;
}

void payload_drop(struct payload *payload) {
    if (!payload)
        return;
    atomic_fetch_sub(&held, payload->size);
    free(payload);
}
