/* The caller is traced already, so that no gate can seize it, and executes another program.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void traced(const char *path) {
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execve(path, arguments("allowed"), environ);
        _exit(126);
    }
    int status;
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
        ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
}

void benign(void) { traced(given("ALLOWED")); }
void attack(void) { traced(given("DENIED")); }
