/* The one thread that waits for processes: init's own children, whose changes it hands on, and those that the gate
 * traces. One thread, because the kernel shows a tracer's own children to each of its threads (wait_consider_task), and
 * who takes a change takes it from the others. */
#ifndef INSCOPE_REAPER_H
#define INSCOPE_REAPER_H

#include <stdbool.h>

#include "process.h"

/* What became of a child of init. */
struct change {
    struct process who; /* as it was just before: now its id may mean nothing */
    int status;         /* as wait(2) gives it */
};

/* SIGCHLD must be blocked in every thread, and nobody else may wait. */
bool reaper_start(void);

/* Becomes readable when there is a change. */
int reaper_fd(void);

/* The next, in their order; false: none. */
bool reaper_next(struct change *out);

#endif
