/* A thread flips the address family of the denied destination between internet and unspecified, 2000 connects: what is
 * judged harmless must not be carried out as the other.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static struct sockaddr_in to;

static void *flip(void *unused) {
    for (volatile sa_family_t *family = &to.sin_family;;) {
        *family = AF_INET;
        *family = AF_UNSPEC;
        *family = AF_UNIX;
    }
    return unused;
}

void attack(void) {
    to = loopback("DENIED_PORT");
    beside(flip, NULL);
    for (int i = 0; i < 2000; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
    }
}
