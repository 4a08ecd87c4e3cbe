/* Whether a process is the agent, or of its making. */
#ifndef INSCOPE_DESCENT_H
#define INSCOPE_DESCENT_H

#include <stdbool.h>
#include <sys/types.h>

/* By the parents that it has now: who lost his is init's child. Any thread. */
bool descends_from_init(pid_t pid);

#endif
