/* Code is written into memory and made executable: shellcode, in a process that has never done so.
 *
 * seen: code-memory
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

void attack(void) {
    const char *path = given("DENIED_LIBRARY");
    size_t size = length(path);
    char *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pread(open(path, O_RDONLY | O_CLOEXEC), code, size, 0);
    if (mprotect(code, size, PROT_READ | PROT_EXEC) == 0)
        run_code(code, constructor_in(path));
}
