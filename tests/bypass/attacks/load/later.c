/* A file is mapped to be read, and made executable afterwards: mprotect, then pkey_mprotect.
 *
 * seen: load
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

void attack(void) {
    const char *path = given("DENIED_LIBRARY");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = length(path), at = constructor_in(path);
    char *first = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0), *second = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mprotect(first, size, PROT_READ | PROT_EXEC) == 0)
        run_code(first, at);
    if (syscall(SYS_pkey_mprotect, second, size, PROT_READ | PROT_EXEC, -1) == 0)
        run_code(second, at);
}
