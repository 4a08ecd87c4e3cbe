/* Calls that are held until the sidecar says whether they may happen. Bounded in number, in bytes, and in time. */
#ifndef INSCOPE_PENDING_H
#define INSCOPE_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "plan.h"

enum { PENDING_MAX = 256, PENDING_BYTES_MAX = 256 * 1024 };

/* Hold the call of this plan, which is taken over; `verdicts` have to allow it, one for each record that asks. False:
 * there is no room, and the plan is still the caller's. */
bool pending_hold(const struct plan *plan, unsigned verdicts, uint64_t now_ns);

/* Queue a record that asks; takes its descriptor. A copy is kept, to tell it when there is room, and to the next sidecar
 * where the one that got it is gone. False: it could not be queued now. */
bool pending_tell(struct message *record);

/* Take in a VERDICT: carries out or refuses the plan when nothing more is to be awaited. Unknown asks are stale. */
void pending_decide(const struct inscope_verdict *verdict);

/* Refuse those whose time is up, and let those out for a moment who have signals to take. The sender's, often, also where
 * it waits for something else. */
void pending_attend(uint64_t now_ns);

/* Tell those that nobody was told. The sender's, when the queue has room. */
void pending_tell_untold(void);

/* The sidecar that was asked is gone: the next is to be asked again. */
void pending_ask_again(void);

/* How long until pending_attend has something to do, in milliseconds; `most` when it has not. */
int pending_due_ms(uint64_t now_ns, int most);

/* Refuse all: from now on nobody is there to ask (init ends). */
void pending_refuse_all(void);

#endif
