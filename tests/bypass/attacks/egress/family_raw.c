/* Another way out: a raw socket (AF_INET, SOCK_RAW).
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    if (socket(AF_INET, SOCK_RAW, IPPROTO_UDP) >= 0)
        won();
}
