/* The address lies in memory shared with another process, which rewrites it, 2000 connects.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in *to = shared(4096);
    *to = loopback("ALLOWED_PORT");
    in_port_t allowed = to->sin_port, denied = loopback("DENIED_PORT").sin_port;
    pid_t other = fork();
    if (other == 0)
        for (volatile in_port_t *port = &to->sin_port;;) {
            *port = denied;
            *port = allowed;
        }
    for (int i = 0; i < 2000; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)to, sizeof *to);
        close(fd);
    }
    kill(other, SIGKILL);
}
