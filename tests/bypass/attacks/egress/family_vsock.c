/* Another way out: a socket to the hypervisor (AF_VSOCK, SOCK_STREAM).
 *
 * seen: syscall
 * enforce: prevented
 * works: root user
 */
#include "attack.h"

void attack(void) {
    if (socket(AF_VSOCK, SOCK_STREAM, 0) >= 0)
        won();
}
