/* BROKEN TIMES: try to execute what cannot be, under a timer of a millisecond; prints how often that failed with ENOEXEC,
 * whether the timer fired, and who traces this process a moment later. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t fired;

static void on_alarm(int number) {
    (void)number;
    fired++;
}

static long tracer(void) {
    char line[128];
    long pid = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "TracerPid: %ld", &pid) == 1)
            break;
    fclose(status);
    return pid;
}

int main(int count, char **arguments) {
    int failed = 0;
    char *argv[] = {"x", NULL};
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
    for (int i = count == 3 ? atoi(arguments[2]) : 0; i > 0; i--)
        failed += execve(arguments[1], argv, NULL) < 0 && errno == ENOEXEC;
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    long by = tracer();
    for (int i = 0; i < 200 && by != 0; i++) {
        usleep(5000);
        by = tracer();
    }
    printf("%d failed, %s, traced by %ld\n", failed, fired ? "fired" : "silent", by);
    return 0;
}
