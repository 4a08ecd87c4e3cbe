/* openat2 whose path and flags lie in memory shared with a process that rewrites them, 400 opens.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

#include <linux/openat2.h>

struct both {
    struct open_how how;
    char path[2048];
};

void attack(void) {
    struct both *both = shared(sizeof *both);
    both->how.flags = O_RDONLY | O_CLOEXEC;
    strcpy(both->path, given("ALLOWED_SECRET"));
    pid_t other = fork();
    if (other == 0)
        for (;;) {
            strcpy(both->path, given("SECRET"));
            both->how.flags = O_RDWR;
            strcpy(both->path, given("ALLOWED_SECRET"));
            both->how.flags = O_RDONLY;
        }
    for (int i = 0; i < 400; i++) {
        int fd = (int)syscall(SYS_openat2, AT_FDCWD, both->path, &both->how, sizeof both->how);
        show(fd);
        if (fd >= 0)
            close(fd);
    }
    kill(other, SIGKILL);
}

void benign(void) { close(open(given("ALLOWED_SECRET"), O_RDONLY | O_CLOEXEC)); }
