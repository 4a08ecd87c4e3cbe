/* What is done about acts that are not known: watched only, or refused. Set by the sidecar, read by every thread. */
#ifndef INSCOPE_STANCE_H
#define INSCOPE_STANCE_H

#include <stdbool.h>

#include "wire.h"

/* Watching, until something else was said, or asked for on the command line; a sidecar that goes takes nothing of it away. */
enum inscope_stance stance(void);

static inline bool stance_enforces(void) { return stance() != INSCOPE_WATCHES; }

/* Take in a MODE; false: not one of the stances. */
bool stance_take(const struct inscope_mode *mode);

#endif
