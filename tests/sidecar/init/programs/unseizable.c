/* PROGRAM: try to execute it where nobody can trace the caller: undumpable, and traced by its parent; prints the errors. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_exec(char *path) {
    char *argv[] = {path, NULL};
    execv(path, argv);
    return errno;
}

static int traced(char *path) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        _exit(try_exec(path));
    }
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
        ptrace(PTRACE_CONT, pid, NULL, NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int undumpable(char *path) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        _exit(try_exec(path));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int count, char **arguments) {
    if (count == 2)
        printf("traced %d undumpable %d\n", traced(arguments[1]), undumpable(arguments[1]));
    return 0;
}
