/* A program is executed by descriptor: fexecve.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    int fd = open(given("DENIED"), O_RDONLY | O_CLOEXEC);
    syscall(SYS_execveat, fd, "", arguments("allowed"), environ, AT_EMPTY_PATH);
}
