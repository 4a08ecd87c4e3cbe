/* 300 threads do acts that must be judged, all at once, and among them one executes another program.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void *noise(void *at) {
    struct sockaddr_in to = loopback("ALLOWED_PORT");
    to.sin_addr.s_addr = htonl(0x7f000100u + (uint32_t)(uintptr_t)at);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
    }
    return NULL;
}

void attack(void) {
    enum { THREADS = 300 };
    static pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = beside(noise, (void *)i);
    spawn(given("DENIED"));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    spawn(given("DENIED"));
}
