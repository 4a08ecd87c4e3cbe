/* PROGRAM THREADS TIMES: each thread spawns the program that often, while a timer fires each millisecond; prints how many
 * ended well. */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char *program;
static int times;
static _Atomic int well;

static void on_alarm(int number) { (void)number; }

static void *spawn(void *unused) {
    for (int i = 0; i < times; i++) {
        char *argv[] = {program, NULL};
        pid_t pid;
        int status;
        if (posix_spawn(&pid, program, NULL, NULL, argv, NULL) == 0 && waitpid(pid, &status, 0) == pid && status == 0)
            well++;
    }
    return unused;
}

int main(int count, char **arguments) {
    pthread_t threads[64];
    int started = count == 4 ? atoi(arguments[2]) : 0;
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    program = arguments[1];
    times = atoi(arguments[3]);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
    for (int i = 0; i < started; i++)
        pthread_create(&threads[i], NULL, spawn, NULL);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    printf("%d\n", well);
    return 0;
}
