/* Thousands of watched opens fill the queues of records, then another program is executed, to hide in the loss.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[64];
    for (int i = 0; i < 4000; i++) {
        snprintf(path, sizeof path, "/run/secrets/%d", i);
        open(path, O_RDONLY | O_CLOEXEC);
    }
    spawn(given("DENIED"));
}
