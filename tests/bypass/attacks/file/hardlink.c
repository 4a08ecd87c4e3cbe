/* A secret is read by a hard link with a harmless name.
 *
 * seen: nothing
 * enforce: missed
 * race: yes
 * window: missed in 8 of 16 runs: a secret is known by number only once the survey at the start has listed it
 */
#include "attack.h"

void attack(void) {
    link(given("SECRET"), work("harmless"));
    print_file(work("harmless"));
}
