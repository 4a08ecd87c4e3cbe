/* The agent connects to the sidecar's socket, to speak as another init.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/../init.sock", given("WORK"));
    struct sockaddr_un to = unix_at(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        won();
}
