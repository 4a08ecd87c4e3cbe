/* The path of a unix socket is rewritten by a thread between the check and the use, 1000 connects.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static struct sockaddr_un to;

static void *rewrite(void *unused) {
    for (;;) {
        strcpy(to.sun_path, given("DENIED_UNIX"));
        strcpy(to.sun_path, given("ALLOWED_UNIX"));
    }
    return unused;
}

void attack(void) {
    to = unix_at(given("ALLOWED_UNIX"));
    beside(rewrite, NULL);
    for (int i = 0; i < 1000; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
    }
}
