/* Memory of what a process already did, so that repeating it is counted and not reported. One thread calls this. */
#ifndef INSCOPE_SEEN_H
#define INSCOPE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"

/* What makes two acts the same for the record: the file with its times, or the call number and ABI. */
struct act {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
    uint32_t kind, nr;
};

/* Whether this image of this process did the same before; remembers it. Acts are kept as keyed 64-bit hashes in a
 * bounded table: an evicted act is reported again, a made-up collision needs init's key. */
bool seen_before(const struct process *who, const struct act *act);

/* The process tries to exec: what it loads after that is another program's. */
void seen_exec(pid_t pid);

#endif
