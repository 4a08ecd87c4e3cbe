#define _GNU_SOURCE
#include "file_set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { FIRST_CAPACITY = 256 };

struct file_set secret_files = {.lock = PTHREAD_RWLOCK_INITIALIZER};
struct file_set code_files = {.lock = PTHREAD_RWLOCK_INITIALIZER};

struct file_identity file_identity_of(const char *link) {
    struct statx st;
    if (statx(AT_FDCWD, link, 0, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return (struct file_identity){0};
    int64_t born_ns = (int64_t)st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
    return (struct file_identity){makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino,
                                  st.stx_mask & STATX_BTIME ? born_ns : 0};
}

/* Where the file is, or where it would be: at most half of the slots are taken. */
static struct file_identity *slot_of(const struct file_set *set, uint64_t device, uint64_t inode) {
    size_t at = (size_t)(((inode ^ device << 32) * 0x9e3779b97f4a7c15u) >> 32) % set->capacity;
    while (set->slots[at].inode && (set->slots[at].inode != inode || set->slots[at].device != device))
        at = (at + 1) % set->capacity;
    return &set->slots[at];
}

static bool grow(struct file_set *set) {
    struct file_set larger = {.capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].inode)
            *slot_of(&larger, set->slots[i].device, set->slots[i].inode) = set->slots[i];
    free(set->slots);
    set->slots = larger.slots;
    set->capacity = larger.capacity;
    return true;
}

static bool has_room(struct file_set *set) {
    return set->count < set->capacity / 2 || (set->count < FILE_SET_MAX && grow(set));
}

static bool put(struct file_set *set, const struct file_identity *file) {
    const struct file_identity *slot = set->capacity ? slot_of(set, file->device, file->inode) : NULL;
    bool fresh = !slot || slot->inode == 0;
    if (fresh && !has_room(set))
        return false;
    set->count += fresh;
    if (fresh || file->born_ns)
        *slot_of(set, file->device, file->inode) = *file;
    return true;
}

bool file_set_add(struct file_set *set, const struct file_identity *file) {
    if (file->inode == 0)
        return false;
    pthread_rwlock_wrlock(&set->lock);
    bool added = put(set, file);
    pthread_rwlock_unlock(&set->lock);
    return added;
}

/* What is kept of the file with these numbers; inode 0: nothing. */
static struct file_identity get(struct file_set *set, uint64_t device, uint64_t inode) {
    struct file_identity found = {0};
    pthread_rwlock_rdlock(&set->lock);
    if (set->capacity)
        found = *slot_of(set, device, inode);
    pthread_rwlock_unlock(&set->lock);
    return found;
}

bool file_set_has(struct file_set *set, const struct file_identity *file) {
    struct file_identity found = get(set, file->device, file->inode);
    return found.inode && found.born_ns == file->born_ns;
}

bool file_set_has_number(struct file_set *set, uint64_t device, uint64_t inode) {
    return get(set, device, inode).inode != 0;
}
