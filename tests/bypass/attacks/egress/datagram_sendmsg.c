/* A process that may use datagrams puts another destination into a message: sendmsg, whose address no filter sees.
 *
 * seen: nothing
 * enforce: missed
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1};
    sendmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 0);
}
