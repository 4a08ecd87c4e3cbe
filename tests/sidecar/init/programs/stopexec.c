/* PROGRAM TIMES: stop and continue children around their exec; prints how many were seen to stop, to continue, and to
 * end well. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    int times = count == 3 ? atoi(arguments[2]) : 0, stopped = 0, continued = 0, well = 0, status;
    for (int i = 0; i < times; i++) {
        char *argv[] = {arguments[1], "0.05", NULL};
        pid_t pid = fork();
        if (pid == 0) {
            execv(arguments[1], argv);
            _exit(1);
        }
        usleep((unsigned)(i * 53 % 2000));
        kill(pid, SIGSTOP);
        stopped += waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
        kill(pid, SIGCONT);
        continued += waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status);
        well += waitpid(pid, &status, 0) == pid && status == 0;
    }
    printf("%d stopped %d continued %d well\n", stopped, continued, well);
    return 0;
}
