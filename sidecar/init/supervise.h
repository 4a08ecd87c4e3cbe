/* Init proper: starts the agent under the filter, reaps, passes signals on, and reports the end. */
#ifndef INSCOPE_SUPERVISE_H
#define INSCOPE_SUPERVISE_H

#include <sys/types.h>

#include "options.h"

/* `front` and `link` are 0 and -1 where this is the process that the caller started. Gives the agent's wait status, or
 * -1 and *failed where there was no agent. */
int supervise(const struct options *options, pid_t front, int link, int *failed);

#endif
