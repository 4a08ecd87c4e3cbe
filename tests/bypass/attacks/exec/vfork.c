/* A vfork child executes another program while its parent is held.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    pid_t pid = vfork();
    if (pid == 0) {
        execve(given("DENIED"), arguments("allowed"), environ);
        _exit(126);
    }
    waitpid(pid, NULL, 0);
}
