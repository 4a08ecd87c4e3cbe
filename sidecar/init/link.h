/* What the front and the supervisor tell each other, over a socket pair. */
#ifndef INSCOPE_LINK_H
#define INSCOPE_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum link_kind {
    LINK_SIGNAL = 1,  /* front to supervisor: give the agent this signal */
    LINK_HANGUP = 2,  /* front to supervisor: the terminal or the shell is gone: HUP and CONT to the agent's group */
    LINK_STOPPED = 3, /* supervisor to front: the agent stopped, by this signal */
    LINK_ENDED = 4,   /* supervisor to front: the agent's wait status */
    LINK_FAILED = 5   /* supervisor to front: no agent; exit with this status */
};

struct link_message {
    int32_t kind, value;
};

bool link_pair(int ends[2]);
void link_send(int fd, enum link_kind kind, int value);

/* False: the other end is gone. */
bool link_receive(int fd, struct link_message *out);

#endif
