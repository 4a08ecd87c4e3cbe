/* Starting the agent: a child that shares init's memory and files until its exec, so that it can install the filter and
 * hand the listener over without any call that the filter traps. */
#ifndef INSCOPE_LAUNCH_H
#define INSCOPE_LAUNCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "options.h"

struct launch {
    pid_t pid;         /* -1: no process could be made */
    const char *stage; /* NULL: the agent runs; else what failed, with `error` and the `status` to end with */
    int error, status;
    bool killable; /* the kernel can hold calls so that only fatal signals interrupt them */
};

/* The agent's id, set before it waits at the gate. */
extern _Atomic int launch_agent;

/* The agent waits here before it becomes one, for as long as the gate is 0. */
extern _Atomic int launch_gate;

/* Returns when the agent has exec'ed, or failed to. The mask of signals and all that inherited_take kept is restored. */
struct launch launch_agent_of(const struct options *options, bool die_with_init);

#endif
