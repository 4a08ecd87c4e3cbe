/* Code in a process of files that nobody judged. One thread calls this. */
#ifndef INSCOPE_ALIEN_CODE_H
#define INSCOPE_ALIEN_CODE_H

#include <stdbool.h>
#include <sys/types.h>

/* Look at all that is mapped executable in the process of this thread; where a file's code is alien, kill it and queue a
 * LOAD record that says MISMATCH. False: it is gone, or killed. */
bool alien_code_kill(pid_t tid);

/* Count all that it has as judged. */
void alien_code_accept(pid_t tid);

#endif
