/* A sibling that did nothing yet is traced and made to execute another program: its registers are set.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    pid_t pid = fork();
    if (pid == 0) {
        nap(300);
        _exit(0);
    }
    nap(10);
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0) {
        won();
        waitpid(pid, NULL, 0);
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
