/* Which file, if any, is mapped at an address of a process. */
#ifndef INSCOPE_MAPPING_H
#define INSCOPE_MAPPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "path.h"

struct mapping {
    uint64_t start, end, inode; /* inode 0: no file */
    char path[PATH_TEXT];
};

/* The mapping that covers `address`, or the first after it; false: none, or unreadable. */
bool mapping_at(pid_t tid, uint64_t address, struct mapping *out);

/* An O_PATH descriptor of its file, or a negative errno where only the name is left (deleted, another namespace). */
int mapping_open(pid_t tid, const struct mapping *mapping);

/* Parse one line of /proc/PID/maps. */
bool mapping_parse(const char *line, struct mapping *out);

#endif
