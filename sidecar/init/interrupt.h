/* A caller that is held for a verdict is not woken by signals (else a busy timer would never let a call through), so its
 * signals are looked at for it: it is let out of the call to take them, and makes the call again. */
#ifndef INSCOPE_INTERRUPT_H
#define INSCOPE_INTERRUPT_H

#include <stdint.h>
#include <sys/types.h>

/* The kernel's own numbers, which no program sees: the call is made again when the signal has been handled, unless the
 * handler was set up without SA_RESTART (the first), or in any case (the second). */
enum { INTERRUPT_RESTARTS = 512, INTERRUPT_RESTARTS_ALWAYS = 513 };

/* The error to answer the call `nr` of a held thread with; 0: no signal waits for it, ESRCH: it is gone. Any thread; reads
 * /proc. */
int interrupt_due(pid_t tid, int nr);

/* The same from the text of /proc/TID/status. */
int interrupt_answer(const char *status, int nr);

/* A call that is made again after an interruption goes on waiting where it was: else, under a timer, it would wait for
 * ever. Not locked. */
struct interrupted {
    pid_t tid;
    int nr;
    uint64_t at_ns, until_ns; /* when it was interrupted; when its time is up */
    uint64_t patience_ns;     /* how long it waits before its signals are looked at: twice as long each time */
};

/* What is remembered of this call of this thread, or where it begins. */
struct interrupted interrupt_resume(pid_t tid, int nr, uint64_t now_ns, uint64_t hold_ns);

/* It is interrupted now. */
void interrupt_remember(struct interrupted call, uint64_t now_ns);

#endif
