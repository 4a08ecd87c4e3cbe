/* Code is written into memory and made executable, in a program that does so honestly: a JIT.
 *
 * seen: nothing
 * enforce: missed
 */
#include "attack.h"
#include "load/mapped.h"

static char *memory(const char *path) {
    size_t size = length(path);
    char *code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pread(open(path, O_RDONLY | O_CLOEXEC), code, size, 0);
    return mprotect(code, size, PROT_READ | PROT_EXEC) == 0 ? code : NULL;
}

void benign(void) { memory(given("ALLOWED_LIBRARY")); }

void attack(void) {
    char *code = memory(given("DENIED_LIBRARY"));
    if (code)
        run_code(code, constructor_in(given("DENIED_LIBRARY")));
}
