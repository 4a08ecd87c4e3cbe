/* Looking below a folder: bounded in depth, never through symbolic links. */
#ifndef INSCOPE_WALK_H
#define INSCOPE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "folders.h"

struct walk {
    struct folders *seen; /* roots that were walked: each once, under whatever names */
    bool canonical;       /* paths begin with the root's real path, not with its name as given */
    bool (*skip)(const char *name); /* folders not to enter; may be NULL */
    /* A file that is regular, or a symbolic link; false ends the walk. */
    bool (*visit)(void *context, const char *path, size_t length, bool is_link);
    void *context;
};

/* Visit the files of a folder and of those below it, `depth` levels down. */
void walk_below(const struct walk *w, const char *root, int depth);

#endif
