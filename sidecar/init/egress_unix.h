/* Connecting to a unix socket by its path, as the caller would find it. */
#ifndef INSCOPE_EGRESS_UNIX_H
#define INSCOPE_EGRESS_UNIX_H

#include <stdbool.h>

#include "plan.h"

/* Whether the address is a path, and no abstract name. */
bool egress_unix_is_path(const struct plan *plan);

/* A descriptor of the file that the path names to the caller, or a negative errno. -EACCES also where the caller sees other
 * files than init, or has other rights. */
int egress_unix_open(const struct plan *plan);

#endif
