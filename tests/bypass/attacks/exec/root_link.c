/* A program is started through /proc/self/root and a folder that is left again.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[4096];
    snprintf(path, sizeof path, "/proc/self/root/proc/self/cwd/../../../../../../../..%s", given("DENIED"));
    spawn(path);
}
