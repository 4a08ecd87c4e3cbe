/* The agent as a job of the shell, where a front stands in for it: groups, the terminal, and the shell's end. */
#ifndef INSCOPE_JOB_H
#define INSCOPE_JOB_H

#include <stdbool.h>
#include <sys/types.h>

struct job {
    pid_t agent, group; /* the group is the front's, which the agent started in and may have left */
    int shell, leader;  /* pidfds of the front's parent and of the session's leader; -1: unknown, or gone */
    bool stopped;       /* the agent is */
};

/* Give the agent a signal that was meant for it alone. */
void job_signal(const struct job *job, int signal);

/* The front's group got a signal. An agent that made a group of its own would have got it as that group's leader. */
void job_group_signal(const struct job *job, int signal);

void job_hang_up(const struct job *job);

/* Whom to watch for its end: the shell and the leader of its session, where they are others than the front. */
void job_watch(struct job *job, pid_t front, pid_t shell);

/* One of these descriptors tells the end of its process. The kernel hangs up a stopped job that no shell is left for,
 * but not this one, whose parent lives on in the same session. */
void job_orphaned(struct job *job, int *watched);

#endif
