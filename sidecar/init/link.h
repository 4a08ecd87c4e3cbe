/* What the front and the supervisor tell each other, over a socket pair. */
#ifndef INSCOPE_LINK_H
#define INSCOPE_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum link_kind {
    /* front to supervisor */
    LINK_SIGNAL = 1, /* give the agent this signal */
    LINK_GROUP = 2,  /* the front's group got this signal: the agent's own group should, if it has one */
    LINK_HANGUP = 3, /* the terminal is gone, and only the session's leader was told */
    /* supervisor to front */
    LINK_STARTED = 4, /* the agent's id */
    LINK_STOPPED = 5, /* the agent stopped, by this signal */
    LINK_ENDED = 6,   /* the agent's wait status */
    LINK_FAILED = 7   /* no agent; exit with this status */
};

struct link_message {
    int32_t kind, value;
};

bool link_pair(int ends[2]);
void link_send(int fd, enum link_kind kind, int value);

/* False: the other end is gone. */
bool link_receive(int fd, struct link_message *out);

#endif
