/* A thread rewrites the port between the check and the use, 2000 connects.
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
    for (int i = 0; i < 2000; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
    }
}
