/* An allowed program that the agent may write is overwritten, in place, with another.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void benign(void) {
    copy(given("ALLOWED"), work("program"), 0755);
    spawn(work("program"));
    spawn(work("program"));
}

void attack(void) {
    benign();
    copy(given("DENIED"), work("program"), 0755);
    spawn(work("program"));
}
