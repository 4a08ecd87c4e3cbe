/* A program that is out of reference is started.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) { spawn(given("DENIED")); }
