/* A datagram is sent to a destination that is out of reference: sendto.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}
