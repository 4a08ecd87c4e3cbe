#define _GNU_SOURCE
#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The shell gave the terminal to the front's group, the only one it knows; an agent with a group of its own would stop
 * at once for not having it. SIGTTOU is blocked, so this may be done from the background. */
static void hand_terminal_over(const struct job *job, pid_t group) {
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return;
    if (tcgetpgrp(terminal) == job->group)
        tcsetpgrp(terminal, group);
    close(terminal);
}

static pid_t own_group(const struct job *job) {
    pid_t group = getpgid(job->agent);
    return group > 0 && group != job->group ? group : 0;
}

static void before_continuing(const struct job *job, int signal) {
    pid_t group = own_group(job);
    if (signal == SIGCONT && group)
        hand_terminal_over(job, group);
}

void job_signal(const struct job *job, int signal) {
    before_continuing(job, signal);
    kill(job->agent, signal);
}

void job_group_signal(const struct job *job, int signal) {
    before_continuing(job, signal);
    if (own_group(job))
        kill(-own_group(job), signal);
}

void job_hang_up(const struct job *job) {
    kill(job->agent, SIGHUP);
    kill(job->agent, SIGCONT);
}

void job_watch(struct job *job, pid_t front, pid_t shell) {
    pid_t leader = getsid(0);
    job->shell = (int)syscall(SYS_pidfd_open, shell, 0);
    job->leader = leader == front ? -1 : (int)syscall(SYS_pidfd_open, leader, 0);
}

static void hang_up_group(pid_t group) {
    kill(-group, SIGHUP);
    kill(-group, SIGCONT);
}

void job_orphaned(struct job *job, int *watched) {
    pid_t group = own_group(job);
    close(*watched);
    *watched = -1;
    if (!job->stopped)
        return;
    if (group)
        hang_up_group(group);
    hang_up_group(job->group);
}
