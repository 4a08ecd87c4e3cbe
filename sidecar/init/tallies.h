/* What is told as numbers: the counters, and how often known acts were done again. The sender calls these. */
#ifndef INSCOPE_TALLIES_H
#define INSCOPE_TALLIES_H

#include <stdbool.h>

/* A new connection has been told nothing. */
void tallies_begin(void);

/* Send what has changed since the last time. False: the sidecar is gone, and the repeats with it; they count as lost. */
bool tallies_tell(void);

#endif
