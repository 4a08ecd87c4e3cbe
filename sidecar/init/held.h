/* A throw-away child that is held in a notified call, to try the mechanisms on. */
#ifndef INSCOPE_HELD_H
#define INSCOPE_HELD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct held {
    pid_t child, parent;
    int listener; /* -1: the kernel refuses, `error` says why */
    int error;
    uint64_t id; /* of the notification; 0: none came */
    bool killable;
    uint64_t word; /* in the child's memory too: what the memory probes read */
    volatile bool continued; /* its first call was let go on, and gave what it should */
};

/* Hold a child; to be undone by held_release. The struct must stay where it is. */
void held_begin(struct held *h);

/* Let the child's call go on, and wait for it to be held in the next; 0, or the errno of what refused. */
int held_continue(struct held *h);

void held_release(struct held *h);

#endif
