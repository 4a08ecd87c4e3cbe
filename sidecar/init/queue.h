/* The bounded ring between the threads that see things and the one that sends them. Never blocks, never allocates: a
 * record that does not fit is dropped and counted. */
#ifndef INSCOPE_QUEUE_H
#define INSCOPE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "message.h"

enum { QUEUE_BYTES = 256 * 1024, QUEUE_FDS_MAX = 128, BATCH_MESSAGES_MAX = 256 };

/* Consecutive messages that make one packet; their bytes stay in the ring until released. */
struct batch {
    struct iovec parts[BATCH_MESSAGES_MAX];
    int fds[INSCOPE_FDS_MAX];
    size_t count, fd_count, bytes, end, passed; /* `passed`: with those that were taken back */
};

/* Seal and enqueue; takes the message's descriptor in any case. False: dropped and counted, as lost_queue while a
 * sidecar is connected, else as lost_away. */
bool queue_push(struct message *m);

/* Take back every record that asks: it is not sent any more. */
void queue_take_back_asks(void);

/* Whether descriptors can be taken now: records beyond the bound travel without one. */
bool queue_takes_fd(void);

/* Whether at least half of the ring is free: for those who can wait. */
bool queue_has_room(void);

/* The oldest messages, without removing them; count 0 when there are none. The sender's alone. */
void queue_batch(struct batch *batch);

/* Remove what queue_batch gave and close its descriptors. */
void queue_release(const struct batch *batch);

/* Say whether a sidecar takes what is queued: decides what a drop is counted as. */
void queue_connected(bool connected);

/* The descriptor that becomes readable when the sleeping sender has work. */
int queue_wake_fd(void);

bool queue_is_empty(void);

/* Whether a record waits that somebody is held for. */
bool queue_is_urgent(void);

/* To be called by the sender before and after it sleeps on the wake descriptor; false: there is work, do not sleep. */
bool queue_sleep(void);
void queue_awake(void);

bool queue_create(void);

#endif
