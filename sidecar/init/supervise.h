/* Init proper: starts the agent under the filter, reaps, passes signals on, and reports the end. */
#ifndef INSCOPE_SUPERVISE_H
#define INSCOPE_SUPERVISE_H

#include <sys/types.h>

#include "options.h"

/* The process that stands in the shell's job for the agent, and the way to it. */
struct stand_in {
    pid_t pid;   /* 0: there is none, this is the process that the caller started */
    pid_t shell; /* its parent */
    int link;
};

/* Gives the agent's wait status, or -1 and *failed where there was no agent. */
int supervise(const struct options *options, const struct stand_in *front, int *failed);

#endif
