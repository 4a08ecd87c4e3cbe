/* Another way out: a socket of the kernel's cryptography (AF_ALG, SOCK_SEQPACKET).
 *
 * seen: syscall
 * enforce: prevented
 * works: nowhere
 */
#include "attack.h"

void attack(void) {
    if (socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0)
        won();
}
