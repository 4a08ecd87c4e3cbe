/* A process that tells whether a signal was sent to the whole process group, or to the front alone: it sits in the
 * group with every signal blocked, so what was sent to the group is pending there too. Without it, `kill -- -GROUP`
 * would reach the agent twice: by itself, and through the front. */
#ifndef INSCOPE_WITNESS_H
#define INSCOPE_WITNESS_H

#include <stdbool.h>
#include <sys/types.h>

struct witness {
    pid_t pid;
    int fd; /* -1: there is none; every signal then counts as sent to the front alone */
};

struct witness witness_start(void);

/* Whether the witness got the signal as well; takes it from there. */
bool witness_saw(const struct witness *w, int signal);

/* Whether the terminal wanted the group to stop since this was asked last. */
bool witness_saw_stop(const struct witness *w);

void witness_stop(const struct witness *w);

#endif
