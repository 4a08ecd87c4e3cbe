/* Stops the agent's processes, all that descend from init, and keeps them stopped until they are released. */
#ifndef INSCOPE_FREEZE_H
#define INSCOPE_FREEZE_H

#include <stdbool.h>

/* The stance has changed: stop or continue, as it says. What is stopped is stopped when this returns, but for a process
 * that is just being made: a thread looks again, as long as the stance stays. The channel's thread. */
void freeze_heed(void);

/* Whether the agent is stopped because of this, and not by its shell. Any thread. */
bool freeze_holds(void);

#endif
