/* A secret is read by a name relative to its folder: after chdir, and by a folder's descriptor.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char folder[4096];
    strcpy(folder, given("SECRET"));
    char *name = strrchr(folder, '/');
    *name++ = 0;
    chdir(folder);
    print_file(name);
    int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    show(openat(at, name, O_RDONLY | O_CLOEXEC));
}
