/* IPv4 written as IPv6: ::ffff:127.0.0.1.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static void mapped(const char *port) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = loopback(port).sin_port};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    close(fd);
}

void benign(void) { mapped("ALLOWED_PORT"); }
void attack(void) { mapped("DENIED_PORT"); }
