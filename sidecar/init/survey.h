/* What the container holds, listed for the sidecar in a background thread. */
#ifndef INSCOPE_SURVEY_H
#define INSCOPE_SURVEY_H

#include "options.h"

/* Start one, unless one is under way. */
void survey_start(const struct options *options);

#endif
