#define _GNU_SOURCE
#include "pidfd_signal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aim.h"
#include "memory.h"

/* Init's rights are the caller's as long as both are the same user: no_new_privs keeps it from having more, and it cannot
 * have less for sending signals. Another user's signals are not sent. */
static bool is_own_user(pid_t caller) {
    uid_t real, effective;
    return aim_users(caller, &real, &effective) && real == getuid() && effective == geteuid();
}

static int send_to(int pidfd, const struct seccomp_data *call, pid_t caller) {
    siginfo_t info;
    bool given = call->args[2] != 0;
    if (given && memory_copy(caller, call->args[2], &info, sizeof info) != sizeof info)
        return EFAULT;
    return syscall(SYS_pidfd_send_signal, pidfd, (int)call->args[1], given ? &info : NULL, 0) < 0 ? errno : 0;
}

/* The descriptor is looked at again: as long as it stands for a process that is there, the number was not given anew. */
int pidfd_signal_send(const struct seccomp_data *call, pid_t caller, pid_t pid) {
    if (call->args[3])
        return EINVAL; /* as kernels before 6.9 do: threads and groups have other calls */
    if (!is_own_user(caller))
        return EPERM;
    int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pidfd < 0)
        return ESRCH;
    int error = aim_pidfd(caller, (int)call->args[0]) == pid ? send_to(pidfd, call, caller) : ESRCH;
    close(pidfd);
    return error;
}
