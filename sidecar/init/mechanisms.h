/* Which mechanisms of the kernel work here, tried for real on a throw-away child. */
#ifndef INSCOPE_MECHANISMS_H
#define INSCOPE_MECHANISMS_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

enum { MECHANISMS = 16 };

struct mechanism {
    enum inscope_mechanism bit;
    const char *name, *minimum_kernel, *lost_without;
};

/* The rows, in the order in which they are tried; the first is the one without which nothing is seen. */
const struct mechanism *mechanism_at(size_t index);

/* Try each: 0, or the errno of what refused. To be called before any thread is started. */
void mechanisms_try(int errors[MECHANISMS]);

/* The same as bits of enum inscope_mechanism: those that work. */
uint32_t mechanisms_probe(void);

#endif
