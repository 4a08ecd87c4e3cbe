/* The thread that takes each notification, decodes and answers it. */
#ifndef INSCOPE_NOTIFY_H
#define INSCOPE_NOTIFY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "decode.h"

/* Set by the child that installed the filter, once: the listener's number. -1 until then. */
extern _Atomic int notify_listener;

/* Serve until no process is left under the filter. `levels` must outlive the thread. */
bool notify_start(const struct open_levels *levels);

/* Take no more calls: those that come wait for whoever takes over the listener. A call that was taken is answered
 * first; one whose reading blocks for longer than a second is given up. */
void notify_stop(void);

/* Whether no process is left under the filter. */
bool notify_nobody_left(void);

/* Wait until the call that is being handled, if any, is answered and its record queued; not for longer than a moment,
 * since its reading may block (a hung file system). */
void notify_settle(void);

#endif
