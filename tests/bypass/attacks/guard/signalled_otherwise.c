/* Init is sent SIGSTOP by every other call that can: tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, a pidfd.
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

static void again(long result) {
    if (result == 0)
        won();
    kill(guard(), SIGCONT);
}

void attack(void) {
    pid_t to = guard();
    siginfo_t info = {.si_signo = SIGSTOP, .si_code = SI_QUEUE};
    again(syscall(SYS_tkill, to, SIGSTOP));
    again(syscall(SYS_tgkill, to, to, SIGSTOP));
    again(syscall(SYS_rt_sigqueueinfo, to, SIGSTOP, &info));
    again(syscall(SYS_rt_tgsigqueueinfo, to, to, SIGSTOP, &info));
    again(syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, to, 0), SIGSTOP, NULL, 0));
}
