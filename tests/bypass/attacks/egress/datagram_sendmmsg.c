/* Two messages at once, the second to another destination, over a socket connected to the first: sendmmsg.
 *
 * seen: nothing
 * enforce: missed
 */
#include "attack.h"

void benign(void) { close(dial(SOCK_DGRAM, "ALLOWED_PORT")); }

void attack(void) {
    struct sockaddr_in to = loopback("DENIED_PORT");
    struct iovec data = {"x", 1};
    struct mmsghdr two[] = {
        {.msg_hdr = {.msg_iov = &data, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &data, .msg_iovlen = 1}},
    };
    syscall(SYS_sendmmsg, dial(SOCK_DGRAM, "ALLOWED_PORT"), two, 2, 0);
}
