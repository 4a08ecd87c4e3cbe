/* A secret is read by a hard link with a harmless name.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    link(given("SECRET"), work("harmless"));
    print_file(work("harmless"));
}
