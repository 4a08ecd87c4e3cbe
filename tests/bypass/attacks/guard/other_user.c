/* The agent becomes another user, which init perhaps may not look into, and acts.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    if (setresgid(12345, 12345, 12345) == 0 && setresuid(12345, 12345, 12345) == 0)
        dial(SOCK_STREAM, "DENIED_PORT");
}
