/* An allowed connection is dissolved with connect(AF_UNSPEC), and the same socket connected elsewhere.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    int fd = dial(SOCK_STREAM, "ALLOWED_PORT");
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    connect(fd, &nothing, sizeof nothing);
    struct sockaddr_in to = loopback("DENIED_PORT");
    connect(fd, (struct sockaddr *)&to, sizeof to);
}
