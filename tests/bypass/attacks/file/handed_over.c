/* A secret is opened without access (O_PATH), then the descriptor by its name under /proc/self/fd.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", open(given("SECRET"), O_PATH | O_CLOEXEC));
    print_file(path);
}
