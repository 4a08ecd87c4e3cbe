#define _GNU_SOURCE
#include "signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "inherited.h"

int signals_open(void) {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, INHERITED_OWN_SIGNAL);
    sigdelset(&all, SIGCHLD); /* the reaper's */
    return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool signals_next(int fd, struct signalfd_siginfo *out) { return read(fd, out, sizeof *out) == sizeof *out; }

bool signals_from_kernel(const struct signalfd_siginfo *signal) { return signal->ssi_code == SI_KERNEL; }

static void let_through(int number) {
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void discard(int number) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigtimedwait(&only, NULL, &(struct timespec){0, 0});
}

void signals_suffer(int number) {
    signal(number, SIG_DFL);
    raise(number);
    let_through(number);
}

/* With the stop pending before the question is asked, a SIGCONT that comes at any moment undoes it: one before the
 * answer shows in the answer, one after it removes the pending stop or ends it. */
void signals_stop_while(int number, bool (*due)(pid_t), pid_t about) {
    signal(number, SIG_DFL);
    if (number == SIGSTOP && !due(about))
        return;
    raise(number);
    if (due(about))
        let_through(number);
    else
        discard(number);
}
