/* A thread rewrites the path between the check and the use, 1000 opens.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

static char path[4096];

static void *rewrite(void *unused) {
    for (;;) {
        strcpy(path, given("SECRET"));
        strcpy(path, given("ALLOWED_SECRET"));
    }
    return unused;
}

void attack(void) {
    strcpy(path, given("ALLOWED_SECRET"));
    beside(rewrite, NULL);
    for (int i = 0; i < 1000; i++)
        print_file(path);
}
