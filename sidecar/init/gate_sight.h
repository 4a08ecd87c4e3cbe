/* What is about to run in a process that is stopped before the first instruction of its new image. */
#ifndef INSCOPE_GATE_SIGHT_H
#define INSCOPE_GATE_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

struct sight {
    struct inscope_file file; /* inode 0: it cannot be seen */
    bool readable;            /* what follows could be read */
    uint64_t loader;          /* where its ELF interpreter is mapped; 0: it has none */
    uint64_t name;            /* sip_bytes of AT_EXECFN: what the kernel was told to execute; 0: not asked */
};

/* `named`: its name is asked for too. */
struct sight gate_sight(pid_t pid, bool named);

/* Whether it is the file that was judged, unchanged since. */
bool gate_sight_is(const struct sight *s, const struct inscope_file *judged);

/* A readable descriptor of the image; negative: none. */
int gate_sight_open(pid_t pid);

/* An O_PATH descriptor of the ELF interpreter that is mapped there; negative: its file cannot be told for certain. */
int gate_sight_open_loader(pid_t pid, uint64_t address);

#endif
