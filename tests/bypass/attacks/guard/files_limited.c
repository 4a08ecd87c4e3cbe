/* Init is left without descriptors: prlimit(RLIMIT_NOFILE).
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    struct rlimit old, less = {1, 1};
    if (prlimit(guard(), RLIMIT_NOFILE, NULL, &old))
        return;
    less.rlim_max = old.rlim_max;
    if (prlimit(guard(), RLIMIT_NOFILE, &less, NULL) == 0) {
        won();
        prlimit(guard(), RLIMIT_NOFILE, &old, NULL);
    }
}
