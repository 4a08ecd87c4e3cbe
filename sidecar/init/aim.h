/* At whom a call is aimed that signals, reads, writes, limits or slows another process. */
#ifndef INSCOPE_AIM_H
#define INSCOPE_AIM_H

#include <linux/seccomp.h>
#include <stdbool.h>

#include "process.h"

/* Whether the call, by numbers alone, reaches a process of the guard. What it names by a descriptor is looked up in the
 * caller's table. */
bool aim_at_guard(const struct seccomp_data *call, pid_t caller);

/* The process that a pidfd, or a folder of /proc, in the caller's table stands for; 0: none that can be told. */
pid_t aim_pidfd(pid_t caller, int descriptor);

/* The caller's real and effective user; false: they cannot be read. */
bool aim_users(pid_t caller, uid_t *real, uid_t *effective);

/* Read the process that a pidfd stands for out of the text of its /proc/PID/fdinfo file; 0: the text names none. */
pid_t aim_parse_fdinfo(const char *text);

#endif
