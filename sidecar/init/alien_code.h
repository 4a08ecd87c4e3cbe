/* Code in a process of files that nobody judged. */
#ifndef INSCOPE_ALIEN_CODE_H
#define INSCOPE_ALIEN_CODE_H

#include <stdbool.h>
#include <sys/types.h>

enum code_outcome { CODE_JUDGED, CODE_GONE, CODE_KILLED };

/* Look at all that is mapped executable in the process of this thread; where a file's code is alien, kill it and queue a
 * LOAD record that says MISMATCH. */
enum code_outcome alien_code_look(pid_t tid);

/* Count all that it has as judged. */
void alien_code_accept(pid_t tid);

#endif
