#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "freeze.h"
#include "egress_reach.h"
#include "exit_status.h"
#include "guard.h"
#include "inherited.h"
#include "job.h"
#include "keeper.h"
#include "launch.h"
#include "link.h"
#include "mechanisms.h"
#include "message.h"
#include "notify.h"
#include "orphans.h"
#include "queue.h"
#include "reaper.h"
#include "signals.h"
#include "stance.h"

struct supervisor {
    struct job job;
    const struct stand_in *front;
    int link, signals, status;
    bool ended;
};

static int complain(const char *what, const char *about, int error) {
    fprintf(stderr, "inscope-init: %s%s%s: %s\n", about, *about ? ": " : "", what, strerror(error));
    return STATUS_FAILED;
}

static void report_exit(const struct process *who, int status) {
    static struct message message;
    struct inscope_exit body = {status};
    message_begin(&message, INSCOPE_EXIT, who, boottime_ns());
    message_body(&message, &body, sizeof body);
    queue_push(&message);
}

static void on_end(struct supervisor *s, const struct process *who, int status) {
    notify_settle(); /* what it did last comes before its end */
    report_exit(who, status);
    if (who->pid == s->job.agent) {
        s->ended = true;
        s->status = status;
    }
}

static void on_change(struct supervisor *s, pid_t pid, int status) {
    if (pid != s->job.agent || freeze_holds()) /* a frozen job is not one that its shell stopped */
        return;
    s->job.stopped = WIFSTOPPED(status);
    if (WIFSTOPPED(status))
        link_send(s->link, LINK_STOPPED, WSTOPSIG(status));
    else if (s->front->pid && getppid() == s->front->pid)
        kill(s->front->pid, SIGCONT);
}

static void take_changes(struct supervisor *s) {
    struct change change;
    while (reaper_next(&change))
        if (WIFEXITED(change.status) || WIFSIGNALED(change.status))
            on_end(s, &change.who, change.status);
        else
            on_change(s, change.who.pid, change.status);
}

/* The front tells what the agent should get; when the front was killed outright, so is the agent. */
static void on_link(struct supervisor *s) {
    struct link_message message = {0};
    if (!link_receive(s->link, &message)) {
        kill(s->job.agent, SIGKILL);
        close(s->link);
        s->link = -1;
    }
    if (message.kind == LINK_SIGNAL)
        job_signal(&s->job, message.value);
    if (message.kind == LINK_GROUP)
        job_group_signal(&s->job, message.value);
    if (message.kind == LINK_HANGUP)
        job_hang_up(&s->job);
}

/* Behind a front, signals to the agent come over the link. */
static void on_signal(const struct supervisor *s, const struct signalfd_siginfo *signal) {
    int number = (int)signal->ssi_signo;
    bool leader = number == SIGHUP && getsid(0) == getpid();
    if (s->front->pid || s->ended)
        return;
    if (!signals_from_kernel(signal))
        kill(s->job.agent, number);
    else if (leader)
        job_hang_up(&s->job);
}

enum { WAKE_SIGNAL, WAKE_CHANGE, WAKE_LINK, WAKE_SHELL, WAKE_LEADER, WAKES };

static void handle(struct supervisor *s, const struct pollfd woken[WAKES]) {
    struct signalfd_siginfo signal;
    take_changes(s);
    while (signals_next(s->signals, &signal))
        on_signal(s, &signal);
    take_changes(s);
    if (s->ended)
        return;
    if (woken[WAKE_SHELL].revents)
        job_orphaned(&s->job, &s->job.shell);
    if (woken[WAKE_LEADER].revents)
        job_orphaned(&s->job, &s->job.leader);
    if (woken[WAKE_LINK].revents)
        on_link(s);
}

static void serve(struct supervisor *s) {
    while (!s->ended) {
        struct pollfd p[WAKES] = {[WAKE_SIGNAL] = {.fd = s->signals, .events = POLLIN},
                                  [WAKE_CHANGE] = {.fd = reaper_fd(), .events = POLLIN},
                                  [WAKE_LINK] = {.fd = s->link, .events = POLLIN},
                                  [WAKE_SHELL] = {.fd = s->job.shell, .events = POLLIN},
                                  [WAKE_LEADER] = {.fd = s->job.leader, .events = POLLIN}};
        poll(p, WAKES, -1);
        handle(s, p);
    }
}

/* The sidecar hears of it as of any end, so that it does not wait for an agent that never was. */
static int fail(const struct options *o, const struct launch *l) {
    bool own = l->status == STATUS_FAILED;
    complain(l->stage, own ? "" : o->command[0], l->error);
    notify_settle();
    channel_finish(l->status << 8, o->drain_ms); /* as wait(2) gives an exit */
    return l->status;
}

/* After the exec the memory is init's alone, and may be closed to others of the same user. In a group of its own, what
 * is done to the job's group does not happen to init. */
static void withdraw(const struct supervisor *s) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    inherited_close(s->front->pid == 0);
    if (s->front->pid)
        setpgid(0, 0);
}

static int start(const struct options *o, struct supervisor *s) {
    static struct open_levels levels;
    levels = (struct open_levels){o->reads, o->writes};
    uint32_t mechanisms = o->socket ? mechanisms_probe() : 0;
    if (o->twins || (o->socket && !(mechanisms & INSCOPE_M_PIDFD_GETFD)))
        egress_reach_by_twins();
    if (o->enforce) /* a sidecar that never comes must not mean that all is allowed */
        stance_take(&(struct inscope_mode){INSCOPE_ENFORCES, 0});
    guard_set(GUARDED_INIT, getpid(), getuid());
    guard_set(GUARDED_FRONT, s->front->pid, getuid());
    s->signals = signals_open();
    if (s->signals < 0 || (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0))
        return complain("cannot supervise", "", errno);
    if (!reaper_start())
        return complain("cannot start a thread", "", errno);
    if (o->socket && !channel_start(o, mechanisms))
        return complain("cannot start", o->socket, errno);
    if (!notify_start(&levels))
        return complain("cannot start a thread", "", errno);
    struct launch l = launch_agent_of(o, getpid() != 1);
    s->job.agent = l.pid;
    return l.stage ? fail(o, &l) : 0;
}

/* The end of PID 1 is the end of all others by itself. Where it is enforced, so is that of any init: a keeper would let
 * everything go on. */
static void finish(const struct options *o, const struct supervisor *s) {
    if (getpid() != 1 && stance_enforces())
        orphans_end();
    channel_finish(s->status, o->drain_ms);
    if (getpid() == 1)
        return;
    notify_stop();
    if (!stance_enforces() && !notify_nobody_left())
        keeper_leave(notify_listener);
}

int supervise(const struct options *options, const struct stand_in *front, int *failed) {
    struct supervisor s = {.front = front, .link = front->link, .job = {.group = getpgrp(), .shell = -1, .leader = -1}};
    if (front->pid)
        job_watch(&s.job, front->pid, front->shell);
    *failed = start(options, &s);
    if (*failed)
        return -1;
    link_send(s.link, LINK_STARTED, s.job.agent);
    withdraw(&s);
    serve(&s);
    finish(options, &s);
    return s.status;
}
