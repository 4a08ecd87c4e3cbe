/* A ring is set up, through which calls are made that no filter sees.
 *
 * seen: syscall
 * enforce: prevented
 * works: nowhere
 */
#include "attack.h"

void attack(void) {
    char parameters[120] = {0};
    if (syscall(SYS_io_uring_setup, 8, parameters) >= 0)
        won();
}
