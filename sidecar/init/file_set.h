/* Sets of files by identity, whatever they are called. Bounded: what finds no room is not in the set. Any thread. */
#ifndef INSCOPE_FILE_SET_H
#define INSCOPE_FILE_SET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_SET_MAX = 8192 };

/* Numbers are used again for other files: `born_ns`, the time of creation (0: the file system keeps none), is another
 * then. */
struct file_identity {
    uint64_t device, inode;
    int64_t born_ns;
};

struct file_set {
    pthread_rwlock_t lock;
    size_t count, capacity;
    struct file_identity *slots; /* inode 0: free */
};

/* Files that matched a pattern for reading: under another name (a hard link, a rename) they are the same. */
extern struct file_set secret_files;

/* Files that may be mapped executable, since it was judged so. */
extern struct file_set code_files;

/* The identity of what a link leads to, such as /proc/self/fd/3; inode 0: nothing. */
struct file_identity file_identity_of(const char *link);

/* A time that is not known takes none away. False: there is no room for it. */
bool file_set_add(struct file_set *set, const struct file_identity *file);

bool file_set_has(struct file_set *set, const struct file_identity *file);

/* The same without the time, where only the numbers are known. */
bool file_set_has_number(struct file_set *set, uint64_t device, uint64_t inode);

#endif
