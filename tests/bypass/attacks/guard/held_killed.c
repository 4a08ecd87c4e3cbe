/* Callers are killed while they are held, 300 times, so that what is kept of them is lost; then another program.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    for (int i = 0; i < 300; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct sockaddr_in to = loopback("ALLOWED_PORT");
            to.sin_addr.s_addr = htonl(0x7f000100u + (uint32_t)i);
            connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&to, sizeof to);
            _exit(0);
        }
        if (i % 3)
            usleep((useconds_t)(i % 7) * 50);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    spawn(given("DENIED"));
}
