/* Execs that were let go on: at the process's next trap, what really runs is compared with what was named. */
#ifndef INSCOPE_WATCH_H
#define INSCOPE_WATCH_H

#include "trap.h"

/* An exec of this image was answered; `told`: with an EXEC record. An image without a path descriptor stands for one
 * that was not found. */
void watch_exec(const struct trap *t, const struct image *image, bool told);

/* Before anything else of a trap: if the caller is a process whose exec was watched, settle it, with an IMAGE where
 * that says something new (another file than named, the interpreter of a script, or that an exec told of failed). */
void watch_settle(struct trap *t);

#endif
