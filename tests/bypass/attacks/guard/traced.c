/* Init is traced: PTRACE_SEIZE and PTRACE_ATTACH.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    if (ptrace(PTRACE_SEIZE, guard(), 0, 0) == 0) {
        won();
        ptrace(PTRACE_INTERRUPT, guard(), 0, 0);
        waitpid(guard(), NULL, __WALL);
        ptrace(PTRACE_DETACH, guard(), 0, 0);
    }
}
