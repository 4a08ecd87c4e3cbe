/* Signals as messages: all are blocked, and read from a descriptor. */
#ifndef INSCOPE_SIGNALS_H
#define INSCOPE_SIGNALS_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/* A descriptor to read them from: all but the one that init keeps for itself. -1 and errno on failure. */
int signals_open(void);

bool signals_next(int fd, struct signalfd_siginfo *out);

/* The kernel sent it, to all of the terminal's foreground group (Ctrl-C, Ctrl-Z, the window's size): the agent has its
 * own. */
bool signals_from_kernel(const struct signalfd_siginfo *signal);

/* Have done to this process what the signal does by default; returns when it continues after a stop. */
void signals_suffer(int number);

/* Stop by this signal, if `due(about)` says so. All signals are blocked. */
void signals_stop_while(int number, bool (*due)(pid_t), pid_t about);

#endif
