/* A tracer changes the path of its child's execve in its registers and memory, after init may have looked.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static char path[4096];

static void trace(const char *wish) {
    strcpy(path, given("ALLOWED"));
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execve(path, arguments("allowed"), environ);
        _exit(126);
    }
    int status;
    waitpid(pid, &status, 0);
    /* the system call's entry is before seccomp has notified */
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    waitpid(pid, &status, 0);
    char text[4096] = {0};
    strcpy(text, wish);
    for (size_t at = 0; at <= strlen(text); at += sizeof(long)) {
        long word;
        memcpy(&word, text + at, sizeof word);
        ptrace(PTRACE_POKEDATA, pid, path + at, word);
    }
    ptrace(PTRACE_DETACH, pid, 0, 0);
    waitpid(pid, &status, 0);
}

void benign(void) { trace(given("ALLOWED")); }
void attack(void) { trace(given("DENIED")); }
