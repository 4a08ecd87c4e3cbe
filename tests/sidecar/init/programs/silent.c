/* PATH TIMES: as many children exec PATH and make no call any more until the last has begun. Without arguments: that. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    char *argv[] = {"silent", NULL};
    if (count != 3) {
        pause();
        return 0;
    }
    setpgid(0, 0); /* so that the signal below reaches these alone */
    signal(SIGTERM, SIG_IGN);
    for (int i = atoi(arguments[2]); i > 0; i--)
        if (fork() == 0) {
            signal(SIGTERM, SIG_DFL);
            execv(arguments[1], argv);
            _exit(1);
        }
    usleep(200000);
    kill(0, SIGTERM);
    while (wait(NULL) > 0)
        ;
    return 0;
}
