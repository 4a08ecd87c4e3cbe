/* What became executable after it was judged, looked at again: a mapping can be raced (by dup2 of its descriptor, by
 * another mapping under an mprotect) between the judgement and the kernel's own look. A process that has code of a file
 * which nobody judged is killed, and a record tells. */
#ifndef INSCOPE_RECHECK_H
#define INSCOPE_RECHECK_H

#include <stdbool.h>
#include <sys/types.h>

/* It is about to be enforced: what is mapped already counts as judged. Starts the thread, the first time. */
void recheck_begin(void);

/* This process is about to map something: look soon, and again. False: it cannot be noted. */
bool recheck_soon(pid_t pid);

/* It makes calls: look at it once in a while. */
void recheck_seen(pid_t tid);

/* Before it is decided what a process may do: look now, if it has mapped something a moment ago. False: it had code that
 * nobody judged, and is killed. `tid` is any of its threads. */
bool recheck_now(pid_t tid);

#endif
