/* A secret is read through /proc/self/root.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[4096];
    snprintf(path, sizeof path, "/proc/self/root%s", given("SECRET"));
    print_file(path);
}
