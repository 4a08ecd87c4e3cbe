/* Frees the gate's thread from a call that does not come back. PTRACE_SEIZE waits for a sibling's exec, which may wait
 * for a thread that only the gate could reap: then nothing helps but to kill the process (KERNEL: de_thread). */
#ifndef INSCOPE_GATE_WATCHDOG_H
#define INSCOPE_GATE_WATCHDOG_H

#include <stdbool.h>
#include <sys/types.h>

enum { WATCHDOG_PATIENCE_MS = 2000 };

bool gate_watchdog_start(void);

/* Around a call about this process that may not come back. */
void gate_watchdog_begin(pid_t pid);
void gate_watchdog_end(void);

#endif
