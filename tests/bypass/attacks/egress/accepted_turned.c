/* A socket that came out of accept is dissolved and connected elsewhere: nobody saw it being made.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

static int accepted(void) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(17924), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bind(server, (struct sockaddr *)&own, sizeof own);
    listen(server, 1);
    fcntl(client, F_SETFL, O_NONBLOCK);
    connect(client, (struct sockaddr *)&own, sizeof own);
    struct pollfd ready = {.fd = server, .events = POLLIN};
    return poll(&ready, 1, 500) == 1 ? accept(server, NULL, NULL) : dial(SOCK_STREAM, "ALLOWED_PORT");
}

void benign(void) { close(accepted()); }

void attack(void) {
    int fd = accepted();
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    connect(fd, &nothing, sizeof nothing);
    struct sockaddr_in to = loopback("DENIED_PORT");
    connect(fd, (struct sockaddr *)&to, sizeof to);
}
