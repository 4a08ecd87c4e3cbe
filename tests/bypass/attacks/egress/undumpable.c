/* A process makes itself unreadable (PR_SET_DUMPABLE) and connects.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    prctl(PR_SET_DUMPABLE, 0);
    dial(SOCK_STREAM, "DENIED_PORT");
}
