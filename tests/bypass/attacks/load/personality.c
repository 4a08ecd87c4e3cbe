/* With READ_IMPLIES_EXEC whatever is mapped to be read is executable, and no call says so.
 *
 * seen: syscall
 * enforce: prevented
 * works: root user
 */
#include "attack.h"
#include "load/mapped.h"

#include <sys/personality.h>

void attack(void) {
    personality(READ_IMPLIES_EXEC);
    const char *path = given("DENIED_LIBRARY");
    char *code = mmap(NULL, length(path), PROT_READ, MAP_PRIVATE, open(path, O_RDONLY | O_CLOEXEC), 0);
    run_code(code, constructor_in(path));
}
