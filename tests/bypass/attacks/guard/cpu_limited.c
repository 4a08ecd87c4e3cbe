/* Init's time is limited to a second: prlimit(RLIMIT_CPU).
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

void attack(void) {
    struct rlimit old, less = {1, 1};
    if (prlimit(guard(), RLIMIT_CPU, NULL, &old))
        return;
    less.rlim_max = old.rlim_max;
    if (prlimit(guard(), RLIMIT_CPU, &less, NULL) == 0) {
        won();
        prlimit(guard(), RLIMIT_CPU, &old, NULL);
    }
}
