/* TCP_FASTOPEN_CONNECT: connect puts the handshake off until something is sent.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

#include <netinet/tcp.h>

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    send(fd, "x", 1, MSG_NOSIGNAL);
}
