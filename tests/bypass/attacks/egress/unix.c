/* A unix socket that is out of reference is connected: a container engine's, D-Bus.
 *
 * seen: connect
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    struct sockaddr_un to = unix_at(given("DENIED_UNIX"));
    connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to);
}
