/* ELF interpreters (ld.so) that were judged a moment ago: most programs have the same. The gate's thread alone. */
#ifndef INSCOPE_GATE_LOADERS_H
#define INSCOPE_GATE_LOADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* Whether this very state of the file was accepted less than IMAGE_AGAIN_MS ago, and the agent cannot write it. */
bool gate_loader_accepted(const struct inscope_file *file, uint64_t now_ns);

void gate_loader_accept(const struct inscope_file *file, uint64_t now_ns);

#endif
