/* pidfd_send_signal where it is enforced and the kernel has no wall of its own (scope.h): what the descriptor stands for
 * could be exchanged after it was looked at, so init sends the signal itself, to the process that it saw. */
#ifndef INSCOPE_PIDFD_SIGNAL_H
#define INSCOPE_PIDFD_SIGNAL_H

#include <linux/seccomp.h>
#include <sys/types.h>

/* Send it to the process `pid` that the caller's descriptor stands for; gives 0 or the errno for the caller. The receiver
 * sees init as the sender, unless the caller gave a siginfo of its own. */
int pidfd_signal_send(const struct seccomp_data *call, pid_t caller, pid_t pid);

#endif
