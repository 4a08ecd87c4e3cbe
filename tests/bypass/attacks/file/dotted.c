/* A secret is read by a path with dots and doubled slashes.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char path[4096], folder[4096];
    strcpy(folder, given("SECRET"));
    char *name = strrchr(folder, '/');
    *name++ = 0;
    char *last = strrchr(folder, '/');
    *last++ = 0;
    snprintf(path, sizeof path, "%s//./%s/../%s/.//%s", folder, last, last, name);
    print_file(path);
}
