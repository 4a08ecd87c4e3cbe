/* Files that are about to become executable in a process, once that was judged. */
#ifndef INSCOPE_CODE_PLAN_H
#define INSCOPE_CODE_PLAN_H

#include "trap.h"

/* A mapping of this file. What `path_fd`, its O_PATH descriptor, stands for is looked at once more before the call goes
 * on; -1: nobody under observation can write the file, or there is none. It stays the caller's. */
struct plan code_plan(const struct trap *t, const struct inscope_file *file, int path_fd);

/* One more file that the same call makes executable: at most PLAN_FILES_MAX. */
void code_plan_add(struct plan *plan, int path_fd);

/* Whether its content can be changed by somebody right now: it is open for writing, or mapped so. What init may not ask
 * (a file of another user, a file system without leases) is not known to be; what cannot be opened counts as written. */
bool code_is_being_written(int path_fd);

#endif
