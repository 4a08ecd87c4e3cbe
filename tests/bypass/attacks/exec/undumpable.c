/* A process makes itself unreadable (PR_SET_DUMPABLE) and executes another program.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    prctl(PR_SET_DUMPABLE, 0);
    spawn(given("DENIED"));
}
