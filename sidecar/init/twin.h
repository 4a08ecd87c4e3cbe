/* The sockets that init made for the agent, where pidfd_getfd is not allowed: init keeps a descriptor of each for as long as
 * it may have to act on it, and no longer, since a socket stays open while anybody has it. Known by their inodes. */
#ifndef INSCOPE_TWIN_H
#define INSCOPE_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TWINS_MAX = 4096, TWINS_MANY = 256 };

/* Keep this descriptor, which is taken over; false: there is no room, and it is still the caller's. Not swept before it
 * was given to the agent. */
bool twin_keep(uint64_t inode, int fd);
void twin_given(uint64_t inode);

/* Another descriptor of the same socket; -1: it has no twin. */
int twin_own(uint64_t inode);

/* Nothing more is to be done on it: it listens, or was never given. */
void twin_drop(uint64_t inode);

/* Drop it if it is connected, and remember that it was; true: it is gone. */
bool twin_settle(uint64_t inode);

/* Have `poll` report, once and under this number, that the socket's connect has come to an end. */
void twin_watch(uint64_t inode, int poll, uint64_t number);

/* Whether it was dropped because it was connected. Only the last thousand are remembered. */
bool twin_was_connected(uint64_t inode);

/* Whether there are so many more than after the last sweep that another is worth its while. */
bool twin_are_many(void);

size_t twin_count(void);

/* Drop those that are connected, and those that no process has had open in two sweeps: one may be on its way from one
 * process to another in each. Takes milliseconds. */
void twin_sweep(void);

#endif
