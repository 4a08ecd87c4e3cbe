/* A process leaves its family twice over (setsid, two forks) and goes on after the agent has ended.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            nap(100);
            spawn(given("DENIED"));
        }
        _exit(0);
    }
    nap(200);
}
