/* Folders to be looked at once each, under whatever names they were found. */
#ifndef INSCOPE_FOLDERS_H
#define INSCOPE_FOLDERS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path.h"

enum { FOLDERS_MAX = 256 };

struct folders {
    size_t count;
    struct {
        uint64_t device, inode;
    } seen[FOLDERS_MAX];
};

/* Open a folder by any name, unless it was opened before; `canonical` gets its real path. NULL: not a folder, not
 * readable, or seen. The caller closes it. */
DIR *folders_open(struct folders *f, const char *path, char canonical[PATH_TEXT]);

/* Call `visit` with each non-empty part of a list separated by ':' or ';', such as PATH. */
void folders_each(const char *list, void (*visit)(void *context, const char *path), void *context);

#endif
