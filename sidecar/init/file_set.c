#include "file_set.h"

struct file_set secret_files = {.lock = PTHREAD_RWLOCK_INITIALIZER};
struct file_set code_files = {.lock = PTHREAD_RWLOCK_INITIALIZER};

/* Where the file is, or where it would be: the table is never full. */
static struct file_identity *slot_of(struct file_set *set, uint64_t device, uint64_t inode) {
    const size_t slots = sizeof set->slots / sizeof *set->slots;
    size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u ^ device) >> 20) % slots;
    while (set->slots[at].inode && (set->slots[at].inode != inode || set->slots[at].device != device))
        at = (at + 1) % slots;
    return &set->slots[at];
}

void file_set_add(struct file_set *set, const struct file_identity *file) {
    if (file->inode == 0)
        return;
    pthread_rwlock_wrlock(&set->lock);
    struct file_identity *slot = slot_of(set, file->device, file->inode);
    if (slot->inode || set->count < FILE_SET_MAX) {
        set->count += slot->inode == 0;
        *slot = *file;
    }
    pthread_rwlock_unlock(&set->lock);
}

bool file_set_has(struct file_set *set, const struct file_identity *file) {
    pthread_rwlock_rdlock(&set->lock);
    const struct file_identity *slot = slot_of(set, file->device, file->inode);
    bool found = slot->inode && slot->born_ns == file->born_ns;
    pthread_rwlock_unlock(&set->lock);
    return found;
}

bool file_set_has_number(struct file_set *set, uint64_t device, uint64_t inode) {
    pthread_rwlock_rdlock(&set->lock);
    bool found = slot_of(set, device, inode)->inode != 0;
    pthread_rwlock_unlock(&set->lock);
    return found;
}
