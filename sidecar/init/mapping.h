/* Which file, if any, is mapped at an address of a process. */
#ifndef INSCOPE_MAPPING_H
#define INSCOPE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "path.h"

struct mapping {
    uint64_t start, end, device, inode; /* inode 0: no file */
    bool executable;
    char path[PATH_TEXT]; /* empty where it is longer */
};

/* The mappings of one process, looked through in the order of their addresses. */
struct mappings {
    int fd;
    bool by_text; /* before Linux 6.11 */
    size_t have, taken;
    char text[PATH_TEXT + 256];
};

/* False: its mappings cannot be read. */
bool mappings_open(pid_t tid, struct mappings *out);
void mappings_close(struct mappings *m);

/* The next executable mapping of a file that ends after `address`, which only grows from call to call. False: none. */
bool mappings_next_code(struct mappings *m, uint64_t address, struct mapping *out);

/* The mapping that covers `address`, or the first after it; false: none, or unreadable. */
bool mapping_at(pid_t tid, uint64_t address, struct mapping *out);

/* An O_PATH descriptor of its file, or a negative errno where only the name is left (deleted, another namespace). */
int mapping_open(pid_t tid, const struct mapping *mapping);

/* Parse one line of /proc/PID/maps. */
bool mapping_parse(const char *line, struct mapping *out);

#endif
