/* What may be done on the agent's sockets is done by init: on its own descriptor of the socket, with the address and the
 * bytes that were copied and judged. Nothing here blocks; what cannot be finished at once waits in egress_wait.c. */
#ifndef INSCOPE_EGRESS_H
#define INSCOPE_EGRESS_H

#include <stdbool.h>

#include "plan.h"

/* For plan.carry_out: `fd` and `of.socket` are filled in. */
void egress_connect(struct plan *plan);
void egress_bind(struct plan *plan);
void egress_listen(struct plan *plan);
void egress_send(struct plan *plan);

/* For plan.carry_out of socket(): `of.make` is filled in. Makes the socket, and keeps its twin. */
void egress_make(struct plan *plan);

/* Whether the stance forbids anything on a socket of this family: those that reach no other machine stay. */
bool egress_is_cut(int domain);

/* The next try of what waits: a result, or a negative errno. */
int egress_connect_now(const struct plan *plan);
int egress_send_now(const struct plan *plan);

/* Try again, after a sweep. */
void egress_retry(struct plan *plan);

/* Let go of the socket, and answer the caller with a result or a negative errno. */
void egress_finish(struct plan *plan, int64_t result);

#endif
