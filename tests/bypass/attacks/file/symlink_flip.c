/* A symbolic link with a harmless name turns from an allowed file to the secret, 400 opens.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"

static void *flip(void *unused) {
    const char *fresh = work("fresh"), *turned = work("link");
    for (int i = 0;; i++, pause_a_little()) {
        symlink(given(i % 2 ? "ALLOWED_SECRET" : "SECRET"), fresh);
        rename(fresh, turned);
    }
    return unused;
}

void benign(void) {
    symlink(given("ALLOWED_SECRET"), work("link"));
    print_file(work("link"));
}

void attack(void) {
    symlink(given("ALLOWED_SECRET"), work("link"));
    beside(flip, NULL);
    for (int i = 0; i < 400; i++)
        print_file(work("link"));
}
