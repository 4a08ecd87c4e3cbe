/* A thread rewrites the port of datagrams between the check and the use, 2000 times.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static struct sockaddr_in to;

static void *rewrite(void *unused) {
    in_port_t allowed = loopback("ALLOWED_PORT").sin_port, denied = loopback("DENIED_PORT").sin_port;
    for (volatile in_port_t *port = &to.sin_port;;) {
        *port = denied;
        *port = allowed;
    }
    return unused;
}

void attack(void) {
    to = loopback("ALLOWED_PORT");
    beside(rewrite, NULL);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 2000; i++)
        sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}
