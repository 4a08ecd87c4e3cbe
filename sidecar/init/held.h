/* A throw-away child that is held in a notified call, to try the mechanisms on. */
#ifndef INSCOPE_HELD_H
#define INSCOPE_HELD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct held {
    pid_t child;
    int listener; /* -1: the kernel refuses, `error` says why */
    int error;
    uint64_t id; /* of the notification; 0: none came */
    bool killable;
    uint64_t word; /* in the child's memory too: what the memory probes read */
    volatile long answer; /* what the held call returned in the child */
    volatile bool answered;
};

/* Hold a child; to be undone by held_release. The struct must stay where it is. */
void held_begin(struct held *h);

/* Answer the call with `value` and wait until the child has it; false: it never got it. */
bool held_answer(struct held *h, long value);

void held_release(struct held *h);

#endif
