/* TCP fast open: sendmmsg connects without connect.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct iovec data = {"x", 1};
    struct mmsghdr message = {.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1}};
    syscall(SYS_sendmmsg, fd, &message, 1, MSG_FASTOPEN);
}
