/* A process writes into another's memory: process_vm_writev.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

static char target[8];

void attack(void) {
    static char value[8] = "changed";
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 100 && !target[0]; i++)
            nap(2);
        if (target[0])
            won();
        _exit(0);
    }
    nap(10);
    struct iovec here = {value, sizeof value}, there = {target, sizeof value};
    syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0);
    waitpid(pid, NULL, 0);
}
