/* A thread turns a harmless path, which nobody watches, into the secret's, 1000 opens.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

static char path[4096];

static void *rewrite(void *unused) {
    for (;;) {
        strcpy(path, given("SECRET"));
        strcpy(path, "/etc/hostname");
    }
    return unused;
}

void attack(void) {
    strcpy(path, "/etc/hostname");
    beside(rewrite, NULL);
    for (int i = 0; i < 1000; i++)
        print_file(path);
}
