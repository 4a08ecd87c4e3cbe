/* A secret is read with openat2, resolved in a folder that is made its root.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"

#include <linux/openat2.h>

void attack(void) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    char folder[4096];
    strcpy(folder, given("SECRET"));
    char *name = strstr(folder, "/.ssh/");
    *name = 0;
    show((int)syscall(SYS_openat2, open(folder, O_PATH | O_CLOEXEC), "../../.ssh/id_secret", &how, sizeof how));
}
