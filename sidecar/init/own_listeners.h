/* Which listeners are the agent's own: a destination at one of them leads to nobody else, whatever number its port has. By
 * what its processes called listen() on and what the kernel says listens now, never by the port's number alone. */
#ifndef INSCOPE_OWN_LISTENERS_H
#define INSCOPE_OWN_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"
#include "wire.h"

/* Ones that are remembered; beyond that those that listen no more are forgotten, then the oldest. */
enum { OWN_LISTENERS_MAX = 512 };

/* A process of the agent's listens on the socket with this inode. */
void own_listeners_add(uint64_t socket);

/* Whether a TCP connect of `who` to this address arrives at the agent's own: on loopback, at a port that the kernel gives out
 * by itself, where the agent listens and nobody else does. `fd`: the socket, where init has it; -1. False where the kernel
 * does not tell. */
bool own_listeners_at(const struct process *who, int fd, const struct inscope_address *to);

/* Whether somebody else listens there now. */
bool own_listeners_lost(const struct inscope_address *to);

#endif
