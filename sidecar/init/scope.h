/* The kernel's own wall in front of the guard, where it has one (Landlock, Linux 6.12). */
#ifndef INSCOPE_SCOPE_H
#define INSCOPE_SCOPE_H

#include <stdbool.h>

/* From here on this process and all that come of it signal only each other: init, the front and the sidecar are out of
 * reach, by whatever call or descriptor. For good: nothing lifts it again. Needs no_new_privs; false and errno where the
 * kernel does not have it. */
bool scope_signals(void);

/* Whether that has been done, by the child that became the agent: it shares init's memory until then. */
bool scope_stands(void);

#endif
