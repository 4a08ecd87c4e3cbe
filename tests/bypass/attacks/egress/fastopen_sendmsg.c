/* TCP fast open: sendmsg connects without connect.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
    sendmsg(fd, &message, MSG_FASTOPEN);
}
