/* A process writes into another's memory through /proc/PID/mem.
 *
 * seen: open
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
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    pwrite(open(path, O_WRONLY | O_CLOEXEC), value, sizeof value, (off_t)(uintptr_t)target);
    waitpid(pid, NULL, 0);
}
