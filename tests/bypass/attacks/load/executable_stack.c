/* The stack is made executable and run on.
 *
 * seen: code-memory
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

void attack(void) {
    const char *path = given("DENIED_LIBRARY");
    char room[65536];
    char *page = (char *)(((uintptr_t)room + 4095) & ~(uintptr_t)4095);
    pread(open(path, O_RDONLY | O_CLOEXEC), page, length(path) < 49152 ? length(path) : 49152, 0);
    if (mprotect(page, 49152, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
        run_code(page, constructor_in(path));
}
