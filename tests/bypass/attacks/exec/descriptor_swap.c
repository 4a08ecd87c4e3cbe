/* The descriptor of an execveat is replaced by dup2 in another thread while it is executed, 400 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static int good, bad;

static void *swap(void *unused) {
    for (;;) {
        dup2(bad, 100);
        dup2(good, 100);
    }
    return unused;
}

void attack(void) {
    good = open(given("ALLOWED"), O_PATH);
    bad = open(given("DENIED"), O_PATH);
    for (int i = 0; i < 400; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            dup2(good, 100);
            beside(swap, NULL);
            syscall(SYS_execveat, 100, "", arguments("allowed"), environ, AT_EMPTY_PATH);
            _exit(126);
        }
        waitpid(pid, NULL, 0);
    }
}
