/* Hide from everybody of the same user, then contact somebody. */
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(0x7f000001)}};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return 1;
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to);
    return 0;
}
