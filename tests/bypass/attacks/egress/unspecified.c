/* The machine itself by the unspecified addresses, 0.0.0.0 and ::.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = loopback("DENIED_PORT").sin_port};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = to.sin_port};
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to);
    connect(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&to6, sizeof to6);
}
