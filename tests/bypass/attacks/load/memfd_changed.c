/* An allowed library in memory is mapped executable, and changed after it was judged.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

static char *mapped(int *fd) {
    size_t size = length(given("ALLOWED_LIBRARY"));
    *fd = memfd_create("changed", MFD_CLOEXEC);
    int in = open(given("ALLOWED_LIBRARY"), O_RDONLY | O_CLOEXEC);
    sendfile(*fd, in, NULL, size);
    return mmap(NULL, length(given("DENIED_LIBRARY")), PROT_READ | PROT_EXEC, MAP_SHARED, *fd, 0);
}

void benign(void) {
    int fd;
    mapped(&fd);
}

void attack(void) {
    int fd, in = open(given("DENIED_LIBRARY"), O_RDONLY | O_CLOEXEC);
    char *code = mapped(&fd);
    if (code == MAP_FAILED)
        return;
    nap(50);
    lseek(fd, 0, SEEK_SET);
    sendfile(fd, in, NULL, length(given("DENIED_LIBRARY")));
    run_code(code, constructor_in(given("DENIED_LIBRARY")));
}
