/* A thread that does not lead its process executes another program, while the leader executes an allowed one: 100 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void *bad(void *unused) {
    execve(given("DENIED"), arguments("allowed"), environ);
    return unused;
}

void attack(void) {
    for (int i = 0; i < 100; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            beside(bad, NULL);
            execve(given("ALLOWED"), arguments("allowed"), environ);
            _exit(126);
        }
        waitpid(pid, NULL, 0);
    }
}
