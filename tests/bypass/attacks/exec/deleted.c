/* A program is executed after its file was deleted.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    const char *here = work("gone");
    copy(given("DENIED"), here, 0755);
    int fd = open(here, O_PATH | O_CLOEXEC);
    unlink(here);
    syscall(SYS_execveat, fd, "", arguments("gone"), environ, AT_EMPTY_PATH);
}
