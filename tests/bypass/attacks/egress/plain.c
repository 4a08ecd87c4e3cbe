/* A connection is made to a destination that is out of reference.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) { dial(SOCK_STREAM, "DENIED_PORT"); }
