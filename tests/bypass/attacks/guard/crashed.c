/* Init is sent the signal of a crash: kill(SIGSEGV).
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    pid_t to = guard();
    signal(SIGTERM, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    if (kill(to, SIGSEGV) == 0)
        won();
    nap(20);
    kill(to, SIGCONT);
}
