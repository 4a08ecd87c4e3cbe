/* Forks are not trapped, so a process that forks and makes no call that is would leave a hole between its parent and its
 * children. The first record of a process is preceded by a PROCESS record for each ancestor that had none yet. */
#ifndef INSCOPE_LINEAGE_H
#define INSCOPE_LINEAGE_H

#include "trap.h"

/* Before the caller's own record, while it is held: its parents cannot be read once it is gone. */
void lineage_introduce(const struct trap *t);

/* The process exec'ed and nobody was told: introduce it when it does something that is. */
void lineage_changed(pid_t pid);

/* Another sidecar listens now: introduce everybody again. Any thread. */
void lineage_forget_all(void);

#endif
