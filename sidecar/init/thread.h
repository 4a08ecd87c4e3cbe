/* Threads with small stacks: init's memory is the agent's memory limit's. */
#ifndef INSCOPE_THREAD_H
#define INSCOPE_THREAD_H

#include <stdbool.h>

/* Start a detached thread; false and errno when the system refuses. */
bool thread_start(void *(*run)(void *), void *argument);

#endif
