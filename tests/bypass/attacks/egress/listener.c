/* A port is opened that is out of reference: a back door.
 *
 * seen: listen
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(17923)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) == 0 && listen(fd, 1) == 0)
        won();
}
