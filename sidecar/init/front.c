#define _GNU_SOURCE
#include "front.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit_status.h"
#include "inherited.h"
#include "link.h"
#include "orphans.h"
#include "process.h"
#include "signals.h"
#include "witness.h"

void front_end_as(int status) {
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    signals_suffer(WTERMSIG(status));
    _exit(128 + WTERMSIG(status)); /* a signal that ends nothing by default cannot have ended the agent either */
}

struct front {
    int link, signals;
    pid_t supervisor, agent;
    struct witness witness;
};

/* A hangup reaches the session's leader alone. What the kernel sends else goes to the whole group, agent included. */
static void on_kernel_signal(struct front *f, int number) {
    if (number == SIGHUP && getsid(0) == getpid())
        link_send(f->link, LINK_HANGUP, 0);
}

/* A stop removes the SIGCONT that waited before it, from the witness too: then it must not be passed on, or it would
 * undo that stop. */
static bool sent_to_group(struct front *f, int number) {
    return witness_saw(&f->witness, number) || (number == SIGCONT && witness_saw_stop(&f->witness));
}

static void on_signal(struct front *f, const struct signalfd_siginfo *signal) {
    int number = (int)signal->ssi_signo;
    if (number == SIGCHLD || (pid_t)signal->ssi_pid == f->supervisor)
        return;
    if (signals_from_kernel(signal))
        on_kernel_signal(f, number);
    else
        link_send(f->link, sent_to_group(f, number) ? LINK_GROUP : LINK_SIGNAL, number);
}

static void leave(struct front *f) {
    close(f->link);
    witness_stop(&f->witness);
    waitpid(f->supervisor, NULL, 0);
}

static void on_message(struct front *f, const struct link_message *message) {
    switch (message->kind) {
    case LINK_STARTED: f->agent = message->value; break;
    case LINK_STOPPED: /* old news, when the agent and the front's group were continued meanwhile */
        witness_saw_stop(&f->witness); /* this one is dealt with */
        signals_stop_while(message->value, process_is_stopped, f->agent);
        break;
    case LINK_ENDED:
        leave(f);
        front_end_as(message->value);
    case LINK_FAILED:
        leave(f);
        _exit(message->value);
    default: break;
    }
}

/* Its children came to the front. None of them can be watched any more: what is trapped would fail, the rest go on. */
static _Noreturn void on_lost_supervisor(struct front *f) {
    leave(f);
    orphans_end();
    fprintf(stderr, "inscope-init: the supervising process ended before the agent\n");
    _exit(STATUS_FAILED);
}

void front_run(int link, pid_t supervisor) {
    struct front f = {.link = link, .signals = signals_open(), .supervisor = supervisor};
    struct pollfd p[2] = {{.fd = f.signals, .events = POLLIN}, {.fd = link, .events = POLLIN}};
    inherited_close(true);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    f.witness = witness_start();
    for (;;) {
        struct signalfd_siginfo signal;
        struct link_message message;
        poll(p, 2, -1);
        while (signals_next(f.signals, &signal))
            on_signal(&f, &signal);
        if (p[1].revents && !link_receive(link, &message))
            on_lost_supervisor(&f);
        if (p[1].revents)
            on_message(&f, &message);
    }
}
