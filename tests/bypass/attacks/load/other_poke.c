/* A process writes into another's memory as its debugger: ptrace.
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
    long word;
    memcpy(&word, value, sizeof word);
    ptrace(PTRACE_SEIZE, pid, 0, 0);
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    waitpid(pid, NULL, __WALL);
    ptrace(PTRACE_POKEDATA, pid, target, word);
    ptrace(PTRACE_DETACH, pid, 0, 0);
    waitpid(pid, NULL, 0);
}
