/* Connecting to a unix socket by its path, as the caller would find it. */
#ifndef INSCOPE_EGRESS_UNIX_H
#define INSCOPE_EGRESS_UNIX_H

#include "plan.h"

/* A descriptor of the file that the plan's path names, for its caller; or a negative errno. -ENOENT with an abstract name is
 * not possible: ask egress_unix_is_path first. */
int egress_unix_open(const struct plan *plan);

bool egress_unix_is_path(const struct plan *plan);

#endif
