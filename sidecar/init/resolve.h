/* From a path to the file that init may open in the caller's place. Stricter than locate.h: what a path means to init
 * alone (its own /proc/self, its own descriptors) is never reached, so nothing of init's is handed out. */
#ifndef INSCOPE_RESOLVE_H
#define INSCOPE_RESOLVE_H

#include <stdint.h>

#include "process.h"

struct lookup {
    int folder;       /* AT_FDCWD, or a descriptor of the caller */
    const char *path; /* as the caller gave it */
    uint64_t flags;   /* of the open: O_NOFOLLOW counts */
};

/* An O_PATH descriptor, or a negative errno: of a link itself with O_NOFOLLOW. -ELOOP also says that the path leads
 * through a magic link that is not the caller's own. */
int resolve(const struct process *who, const struct lookup *what);

#endif
