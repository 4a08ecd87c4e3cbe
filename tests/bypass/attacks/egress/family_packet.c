/* Another way out: a socket that reads and writes frames (AF_PACKET, SOCK_RAW).
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0)
        won();
}
