/* What the container holds, listed for the sidecar in a background thread. */
#ifndef INSCOPE_SURVEY_H
#define INSCOPE_SURVEY_H

#include <stdint.h>

#include "options.h"

/* One will be started soon: to be waited for. */
void survey_announce(void);

/* Until the one that was announced is done, or `until_ns` of the boot clock. */
void survey_wait(uint64_t until_ns);

/* Until the first one has listed the secrets. Where none was announced there is nothing to wait for; however long it takes,
 * its callers wait for a second in all. Notify thread. */
void survey_wait_for_secrets(void);

/* Start one, unless one is under way. */
void survey_start(const struct options *options);

#endif
