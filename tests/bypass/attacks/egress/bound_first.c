/* The socket is bound to an address of its own before it connects.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static void bound(const char *port) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fd, (struct sockaddr *)&own, sizeof own);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    close(fd);
}

void benign(void) { bound("ALLOWED_PORT"); }
void attack(void) { bound("DENIED_PORT"); }
