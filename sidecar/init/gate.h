/* The gate before a new image: a program that may be executed is traced until it has become what was judged, and dies
 * before its first instruction when it has become something else. Needs PTRACE_SEIZE of the agent's processes: who
 * cannot be traced (undumpable, another uid, traced already) executes nothing. What ptrace does is per thread: all but
 * gate_exec is the reaper's (reaper.h). */
#ifndef INSCOPE_GATE_H
#define INSCOPE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

/* Carry out the plan of an exec. Any thread. */
void gate_exec(struct plan *plan);

bool gate_start(void);

/* Becomes readable when there is something to serve. */
int gate_wake_fd(void);

/* Do what is due; after every stop and end that was told. `woken`: the descriptor was readable. */
void gate_serve(bool woken, uint64_t now_ns);

/* How long until then, in milliseconds, at most `most`. */
int gate_due_ms(uint64_t now_ns, int most);

/* A traced thread stopped: `code` is the si_status of its CLD_TRAPPED. */
void gate_stopped(pid_t tid, int code, uint64_t now_ns);

/* A thread that may have been traced is gone. */
void gate_ended(pid_t tid);

#endif
