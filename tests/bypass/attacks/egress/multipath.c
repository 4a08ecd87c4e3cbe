/* TCP over several paths: IPPROTO_MPTCP, a stream that is no plain TCP.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    connect(socket(AF_INET, SOCK_STREAM, 262), (struct sockaddr *)&to, sizeof to);
}
