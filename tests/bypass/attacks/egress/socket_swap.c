/* The descriptor is turned from a unix socket to an internet one by dup2 while it connects, 150 times: judged as the one,
 * carried out on the other.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static int local, internet;

static void *swap(void *unused) {
    for (;;) {
        dup2(local, 100);
        dup2(internet, 100);
    }
    return unused;
}

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    internet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    dup2(local, 100);
    beside(swap, NULL);
    for (int i = 0; i < 150; i++)
        connect(100, (struct sockaddr *)&to, sizeof to);
}
