/* Forks are not trapped, so a process that forks and makes no call that is would leave a hole between its parent and its
 * children. The first record of a process is preceded by a PROCESS record for each ancestor that had none yet, and so is
 * the first one of a process whose exec was known, so that nobody was told of it. */
#ifndef INSCOPE_LINEAGE_H
#define INSCOPE_LINEAGE_H

#include "trap.h"

/* Before the caller's own record, while it is held: its parents cannot be read once it is gone. */
void lineage_introduce(const struct trap *t);

/* Another sidecar listens now: introduce everybody again. Any thread. */
void lineage_forget_all(void);

#endif
