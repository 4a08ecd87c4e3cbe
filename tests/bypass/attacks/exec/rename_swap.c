/* Two files are exchanged (RENAME_EXCHANGE) while one of them is executed, 120 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void *swap(void *unused) {
    for (const char *a = work("a"), *b = work("b");; pause_a_little())
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
    return unused;
}

void benign(void) {
    copy(given("ALLOWED"), work("a"), 0755);
    copy(given("ALLOWED"), work("b"), 0755);
    spawn(work("a"));
    spawn(work("b"));
}

void attack(void) {
    copy(given("ALLOWED"), work("a"), 0755);
    copy(given("DENIED"), work("b"), 0755);
    beside(swap, NULL);
    for (int i = 0; i < 120; i++)
        spawn(work(i % 2 ? "a" : "b"));
}
