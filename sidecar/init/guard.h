/* The processes that watch, where the agent can name them: what it aims at one of these is told, and refused where it is
 * enforced. */
#ifndef INSCOPE_GUARD_H
#define INSCOPE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

enum guarded {
    GUARDED_INIT,
    GUARDED_FRONT,
    GUARDED_SIDECAR,
    GUARDED_COUNT
};

/* This process is one of them from here on, instead of the one before. 0: there is none that this namespace of processes
 * could name. Any thread. */
void guard_set(enum guarded which, pid_t pid, uid_t uid);

/* Whether the id is one of theirs, or that of one of their threads, which most calls take for the process. */
bool guard_has(pid_t id);

/* Whether a group has one in it. The front does not count here and below: it is part of the agent's own job, may be
 * treated as that is, and takes the agent with it when it ends. */
bool guard_in_group(pid_t group);

enum { GUARD_EVERYBODY = 0 };

/* Whether the signal, sent to all of a group or to everybody, does harm to one. Of all signals only SIGKILL and SIGSTOP
 * mean something to init, and not when it is PID 1: the others wait until they are read, and are passed on. */
bool guard_suffers(pid_t group, int signal);

/* Whether one runs as this user. */
bool guard_of_user(uid_t uid);

#endif
