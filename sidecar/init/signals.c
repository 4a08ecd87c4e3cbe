#define _GNU_SOURCE
#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include "inherited.h"

int signals_open(void) {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, INHERITED_OWN_SIGNAL);
    return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool signals_next(int fd, struct signalfd_siginfo *out) { return read(fd, out, sizeof *out) == sizeof *out; }

bool signals_from_kernel(const struct signalfd_siginfo *signal) { return signal->ssi_code == SI_KERNEL; }

void signals_suffer(int number) {
    sigset_t only, before;
    sigemptyset(&only);
    sigaddset(&only, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &only, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
