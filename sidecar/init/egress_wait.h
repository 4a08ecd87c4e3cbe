/* One thread that waits for all sockets on which a caller's connect or send cannot be finished at once. */
#ifndef INSCOPE_EGRESS_WAIT_H
#define INSCOPE_EGRESS_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

enum { WAITING_MAX = 512 };

enum waiting {
    WAITING_NOT,
    WAITING_CONNECT, /* until the socket is connected, or failed to */
    WAITING_ROOM,    /* a send, until the socket takes it */
    WAITING_AGAIN,   /* a connect for which nothing can be polled: tried again every few milliseconds */
    WAITING_SWEPT    /* a bind whose address may be a closed socket's, or a socket for which there was no room: tried again
                        after a sweep of the twins */
};

/* Take over the plan, and finish it (egress_finish) when there is a result; the caller is answered sooner by a signal
 * (interrupt.h), by its socket's time limit, or by the quarantine. False: no more can wait, and the plan is still the caller's. */
bool egress_wait(const struct plan *plan, enum waiting what);

/* Let go of the twin as soon as its connect has come to an end. */
void egress_wait_twin(uint64_t inode);

/* Have the twins swept every few seconds from here on, and `now`. */
void egress_wait_sweep(bool now);

#endif
