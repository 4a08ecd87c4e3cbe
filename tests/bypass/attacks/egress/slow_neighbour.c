/* 100 threads wait in connects that nobody answers, meant to hold up who judges; then another destination is tried.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static struct sockaddr_in full;

static void *wait_long(void *unused) {
    connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&full, sizeof full);
    return unused;
}

static void fill(void) {
    int on = 1;
    full = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(17925), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bind(server, (struct sockaddr *)&full, sizeof full);
    listen(server, 0);
}

void benign(void) {
    fill();
    wait_long(NULL);
}

void attack(void) {
    fill();
    for (int i = 0; i < 100; i++)
        beside(wait_long, NULL);
    nap(50);
    dial(SOCK_STREAM, "DENIED_PORT");
    _exit(0);
}
