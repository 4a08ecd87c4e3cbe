/* Which mechanisms of the kernel work here, tried for real on a throw-away child. */
#ifndef INSCOPE_MECHANISMS_H
#define INSCOPE_MECHANISMS_H

#include <stdint.h>

/* Bits of enum inscope_mechanism. To be called before any thread is started. */
uint32_t mechanisms_probe(void);

/* Print one JSON object a line for each mechanism and for what of this kernel's configuration matters; the status to
 * exit with: 0 where observing works, 1 where not. */
int mechanisms_print(void);

#endif
