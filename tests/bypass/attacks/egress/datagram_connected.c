/* A datagram socket is connected to an allowed destination, then to another: getaddrinfo's way of asking for a route.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void benign(void) { close(dial(SOCK_DGRAM, "ALLOWED_PORT")); }

void attack(void) {
    int fd = dial(SOCK_DGRAM, "ALLOWED_PORT");
    struct sockaddr_in to = loopback("DENIED_PORT");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        send(fd, "x", 1, 0);
}
