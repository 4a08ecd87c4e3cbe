/* From a path as a caller gave it to a descriptor of what it names, in the caller's view of the file system. */
#ifndef INSCOPE_LOCATE_H
#define INSCOPE_LOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "path.h"

/* An O_PATH descriptor, or a negative errno. `path` is taken relative to the caller's root, its working directory
 * (AT_FDCWD) or its descriptor `folder`; an empty path names the descriptor itself. Nothing is opened for reading, so a
 * FIFO or a device cannot hold init up, and /proc/self means the caller. */
int locate(pid_t tid, int folder, const char *path);

/* A caller may be about to see another file system than init: from now on each caller's own root is asked. Until then
 * all have init's, since every call that could change it is trapped. */
void locate_roots_differ(void);
bool locate_roots_are_one(void);

/* The text of a link below /proc/TID, such as "cwd" or "fd/3"; gives the length, 0 where unreadable. */
size_t locate_link(pid_t tid, const char *name, char out[PATH_TEXT]);

/* What one of init's own descriptors is called; gives the length. */
size_t locate_own_link(int fd, char out[PATH_TEXT]);

/* The path in full: folded, and joined with the folder that it is relative to. Length 0: the folder is unreadable. */
size_t locate_absolute(pid_t tid, int folder, const char *path, char out[PATH_JOINED]);

/* The caller's descriptor itself, as O_PATH. */
int locate_descriptor(pid_t tid, int descriptor);

/* The same without opening, where that is possible: one call instead of three. False: use the other. */
bool locate_stat(pid_t tid, const char *path, struct stat *out);
bool locate_descriptor_stat(pid_t tid, int descriptor, struct stat *out);

#endif
