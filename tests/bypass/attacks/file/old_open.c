/* A secret is read by open, an older call than openat, and truncated by creat.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
#ifdef SYS_open
    show((int)syscall(SYS_open, given("SECRET"), O_RDONLY | O_CLOEXEC, 0));
#else
    print_file(given("SECRET"));
#endif
}
