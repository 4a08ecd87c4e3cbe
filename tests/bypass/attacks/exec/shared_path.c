/* The path lies in memory shared with another process, which rewrites it while it is executed, 400 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char *path = shared(4096);
    strcpy(path, given("ALLOWED"));
    pid_t other = fork();
    if (other == 0)
        for (;;) {
            strcpy(path, given("DENIED"));
            strcpy(path, given("ALLOWED"));
        }
    for (int i = 0; i < 400; i++)
        spawn(path);
    kill(other, SIGKILL);
}
