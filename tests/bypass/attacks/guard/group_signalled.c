/* Init's whole process group is stopped.
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    pid_t group = getpgid(guard());
    if (group <= 1)
        return;
    pid_t pid = fork();
    if (pid == 0) { /* out of the group, to go on */
        setsid();
        if (kill(-group, SIGSTOP) == 0)
            won();
        nap(20);
        kill(-group, SIGCONT);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}
