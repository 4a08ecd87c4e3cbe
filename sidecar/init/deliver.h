/* Opens that init makes in the caller's place: the descriptor of the very file that was judged is put into the caller's
 * table, and no pointer is read again. Needs ADDFD (Linux 5.9). */
#ifndef INSCOPE_DELIVER_H
#define INSCOPE_DELIVER_H

#include "plan.h"

/* To be a plan's carry_out: `fd` is O_PATH of a regular file, `of.open` has the caller's flags. */
void deliver(struct plan *plan);

/* The same for what only the kernel can open. */
void deliver_by_kernel(struct plan *plan);

#endif
