/* What the gate tells the sidecar, or asks it. The gate's thread alone. */
#ifndef INSCOPE_GATE_TELL_H
#define INSCOPE_GATE_TELL_H

#include <stdint.h>

#include "gate_sight.h"
#include "plan.h"

/* What runs after this exec. `ask`: the process is stopped for a verdict on it; 0: not. `flags` are enum inscope_flag. */
void gate_tell_image(const struct plan *exec, uint64_t ask, unsigned flags);

/* Its ELF interpreter: a file by its O_PATH descriptor (negative: it cannot be told), loaded by the kernel. */
void gate_tell_loader(const struct plan *exec, uint64_t ask, uint64_t key, int path_fd, const struct inscope_file *file);

#endif
