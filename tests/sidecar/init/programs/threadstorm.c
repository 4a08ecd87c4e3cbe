/* PROGRAM BROKEN TIMES: children whose threads all exec at once, one the program, the others what cannot be executed;
 * prints how many became the program. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 5 };

static void *run(void *path) {
    char *argv[] = {path, NULL};
    for (;;)
        execv(path, argv);
    return NULL;
}

static void become(char **arguments, int winner) {
    pthread_t thread;
    for (int i = 0; i < THREADS; i++)
        while (pthread_create(&thread, NULL, run, i == winner ? arguments[1] : arguments[2])) /* a sibling is in its exec */
            ;
    run(arguments[winner == THREADS ? 1 : 2]);
}

int main(int count, char **arguments) {
    int times = count == 4 ? atoi(arguments[3]) : 0, well = 0;
    for (int i = 0; i < times; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            become(arguments, i % (THREADS + 1));
        well += waitpid(pid, &status, 0) == pid && status == 0;
    }
    printf("%d of %d\n", well, times);
    return 0;
}
