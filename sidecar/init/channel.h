/* The connection to the sidecar, and the thread that keeps it: connects again when it breaks, with the same secret. */
#ifndef INSCOPE_CHANNEL_H
#define INSCOPE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Start the sender; it waits for launch_agent and opens launch_gate once the sidecar is ready. */
bool channel_start(const struct options *options, uint32_t mechanisms);

/* Say goodbye with the agent's wait status after all that is queued, and wait until the sidecar closes, at most
 * `drain_ms`. Returns at once where no sidecar is connected. */
void channel_finish(int status, long drain_ms);

#endif
