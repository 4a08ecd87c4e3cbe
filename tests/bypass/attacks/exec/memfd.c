/* A program is executed out of memory: copied into a memfd, by a process that uses memfds.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static int memory(void) { return memfd_create("allowed", MFD_CLOEXEC); }

void benign(void) { close(memory()); }

void attack(void) {
    int fd = memory(), in = open(given("DENIED"), O_RDONLY | O_CLOEXEC);
    while (sendfile(fd, in, NULL, 1 << 20) > 0)
        ;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    execve(path, arguments("allowed"), environ);
}
