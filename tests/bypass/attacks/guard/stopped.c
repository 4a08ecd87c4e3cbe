/* Init is stopped, and with it every call that it answers: kill(SIGSTOP).
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    pid_t to = guard();
    signal(SIGTERM, SIG_IGN);
    if (kill(to, SIGSTOP) == 0)
        won();
    nap(20);
    kill(to, SIGCONT);
}
