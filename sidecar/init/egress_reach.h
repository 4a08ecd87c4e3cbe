/* Init's own descriptor of a caller's socket. What is judged is looked up on it, and what may happen is done on it: what the
 * caller or its threads change meanwhile does not count. */
#ifndef INSCOPE_EGRESS_REACH_H
#define INSCOPE_EGRESS_REACH_H

#include <stdbool.h>

#include "process.h"
#include "wire.h"

struct reached {
    int fd;    /* -1: `error` says why */
    int error; /* EBADF, ENOTSOCK: the caller's own mistake. EISCONN. EACCES: it is out of reach, and so nothing is done */
    uint16_t domain; /* of the socket: an address may claim another */
};

/* By pidfd_getfd; where that is not allowed, by the twin that init kept when it made the socket. Fills in the socket's
 * inode, type and protocol. */
struct reached egress_reach(const struct process *who, int descriptor, struct inscope_address *body);

/* From now on by twins alone, as where pidfd_getfd is refused. Before the agent starts. */
void egress_reach_by_twins(void);
bool egress_reaches_by_twins(void);

#endif
