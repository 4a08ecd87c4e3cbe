/* A symbolic link is turned from an allowed program to another while it is executed, 120 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void *flip(void *unused) {
    const char *fresh = work("fresh"), *turned = work("link");
    for (int i = 0;; i++, pause_a_little()) {
        symlink(given(i % 2 ? "ALLOWED" : "DENIED"), fresh);
        rename(fresh, turned);
    }
    return unused;
}

void attack(void) {
    symlink(given("ALLOWED"), work("link"));
    beside(flip, NULL);
    for (int i = 0; i < 120; i++)
        spawn(work("link"));
}
