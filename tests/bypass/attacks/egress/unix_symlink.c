/* A unix socket behind a symbolic link that turns from an allowed one to another, 200 connects.
 *
 * seen: nothing
 * enforce: missed
 * race: yes
 */
#include "attack.h"

static void *flip(void *unused) {
    const char *fresh = work("fresh"), *turned = work("link");
    for (int i = 0;; i++, pause_a_little()) {
        symlink(given(i % 2 ? "ALLOWED_UNIX" : "DENIED_UNIX"), fresh);
        rename(fresh, turned);
    }
    return unused;
}

static void try(void) {
    struct sockaddr_un to = unix_at(work("link"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    close(fd);
}

void benign(void) {
    symlink(given("ALLOWED_UNIX"), work("link"));
    try();
}

void attack(void) {
    beside(flip, NULL);
    for (int i = 0; i < 200; i++)
        try();
}
