/* A process that shares all memory (CLONE_VM without CLONE_THREAD) rewrites the path while it is executed, 400 times.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static char path[4096];
static char stack[65536] __attribute__((aligned(16)));

static int child(void *unused) {
    execve(path, arguments("allowed"), environ);
    _exit(126);
}

static void *rewrite(void *unused) {
    for (;;) {
        strcpy(path, given("DENIED"));
        strcpy(path, given("ALLOWED"));
    }
    return unused;
}

void attack(void) {
    strcpy(path, given("ALLOWED"));
    beside(rewrite, NULL);
    for (int i = 0; i < 400; i++) {
        pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
        waitpid(pid, NULL, 0);
    }
}
