/* A file is mapped executable, and its code run.
 *
 * seen: load
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

void attack(void) {
    const char *path = given("DENIED_LIBRARY");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *code = mmap(NULL, length(path), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (code != MAP_FAILED)
        run_code(code, constructor_in(path));
}
