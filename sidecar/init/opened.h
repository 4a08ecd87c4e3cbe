/* What an open would open: found once, looked at through the descriptor, and delivered through the same. */
#ifndef INSCOPE_OPENED_H
#define INSCOPE_OPENED_H

#include <stdbool.h>

#include "file_set.h"
#include "path.h"
#include "resolve.h"

struct opened {
    int fd; /* O_PATH, or a negative errno */
    uint32_t mode, links; /* how many names it has */
    bool in_proc;
    struct file_identity file;
    size_t length;
    char real[PATH_TEXT]; /* what the kernel calls it */
};

/* Find it; `out` has one user at a time, and its descriptor is the caller's to close. */
void opened_find(const struct process *who, const struct lookup *what, struct opened *out);

/* Why the open fails whatever is decided, as a positive errno; 0: it does not. */
int opened_fails(const struct opened *o, uint64_t flags);

/* Whether init can open it in the caller's place without being held up, and without being somebody else to it. */
bool opened_is_deliverable(const struct opened *o);

/* Whether this is the memory of a process. */
bool opened_is_memory(const struct opened *o);

/* Whether this is a file of /proc that belongs to init or the sidecar. */
bool opened_is_guards(const struct opened *o);

/* Who may open what is not init's to say any more: a caller may have other rights than init. From now on nothing is
 * deliverable. */
void opened_rights_differ(void);

#endif
