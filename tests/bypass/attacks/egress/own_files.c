/* A thread with its own table of descriptors (unshare(CLONE_FILES)) connects: by its number the socket is another there.
 *
 * seen: connect
 * enforce: prevented
 * works: root user
 */
#include "attack.h"

static int number;

static int apart(const char *port) {
    if (unshare(CLONE_FILES))
        return 0;
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    dup2(fd, number);
    return connect(number, (struct sockaddr *)&to, sizeof to);
}

static void *thread(void *port) {
    apart(port);
    return NULL;
}

static void tried(char *port) {
    number = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_join(beside(thread, port), NULL);
}

void benign(void) { tried("ALLOWED_PORT"); }
void attack(void) { tried("DENIED_PORT"); }
