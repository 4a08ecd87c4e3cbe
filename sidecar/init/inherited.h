/* What init was started with and hands to the agent unchanged: signal mask and dispositions, limits, descriptors. */
#ifndef INSCOPE_INHERITED_H
#define INSCOPE_INHERITED_H

#include <signal.h>
#include <stdbool.h>

/* The signal that interrupts init's own waiting: one that nobody uses, so that every other can be passed on. */
#define INHERITED_OWN_SIGNAL SIGSTKFLT

/* Remember it, and set up init's own: all signals blocked, SIGCHLD as it must be to reap, a high limit of files. */
void inherited_take(void);

/* Whether the limit leaves room for init's own descriptors: fewer, and it would fail at some later moment. */
enum { INHERITED_FILES_MIN = 64 };
bool inherited_has_room(void);

/* In the child that becomes the agent: everything but the signal mask. */
void inherited_restore(void);
void inherited_restore_mask(void);

/* Once the agent has its own copy: close the inherited descriptors from 3 up, and put /dev/null in place of 0 and 1,
 * and of 2 unless messages are still wanted there. Otherwise a pipe would stay open longer than the agent holds it. */
void inherited_close(bool keep_stderr);

#endif
