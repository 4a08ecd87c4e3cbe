/* A program is started by a hard link that bears an allowed one's name.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void benign(void) {
    copy(given("ALLOWED"), work("first"), 0755);
    link(work("first"), work("allowed"));
    spawn(work("allowed"));
}

void attack(void) {
    copy(given("DENIED"), work("first"), 0755);
    link(work("first"), work("allowed"));
    spawn(work("allowed"));
}
