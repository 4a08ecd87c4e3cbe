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

/* The agent waits here before it becomes one, while the gate is 0 and options.wait_ms are not over. */
extern _Atomic int launch_gate;

/* Returns when the agent has exec'ed, or failed to. It has the signal mask, dispositions and limits back that
 * inherited_take kept; init keeps its own. */
struct launch launch_agent_of(const struct options *options, bool die_with_init);

#endif
