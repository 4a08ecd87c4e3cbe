/* As a process of the same user inside init's pid namespace: kill, stop, trace and read PID 1. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(void) {
    int signals[] = {SIGKILL, SIGSTOP, SIGSTKFLT};
    for (int i = 0; i < 3; i++)
        kill(1, signals[i]);
    printf("ptrace %s\n", ptrace(PTRACE_ATTACH, 1, 0, 0) ? "refused" : "allowed");
    printf("memory %s\n", open("/proc/1/mem", O_RDWR) < 0 ? "refused" : "allowed");
    usleep(50000);
    printf("%s\n", open("/etc/hostname", O_RDONLY) >= 0 ? "alive" : "no answer"); /* a trapped call */
    return 0;
}
