/* Init is killed: kill(SIGKILL).
 *
 * seen: nothing
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    pid_t to = guard();
    signal(SIGTERM, SIG_IGN);
    if (kill(to, SIGKILL) == 0)
        won();
    nap(20);
    kill(to, SIGCONT);
}
