/* Calls by the i386 entry of an x86_64 kernel: the numbers are i386's. */
#include <stdio.h>
#include <signal.h>
#include <unistd.h>

static void no_entry(int signal) {
    (void)signal;
    _exit(printf("no i386\n") < 0);
}

static int call(int number, int first, int second) {
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

int main(void) {
    signal(SIGSEGV, no_entry);
    int pid = call(20, 0, 0);
    for (int i = 0; i < 99; i++)
        pid = call(20, 0, 0);
    printf("getpid %s\n", pid == getpid() ? "ok" : pid == -38 ? "no i386" : "wrong");
    printf("io_uring %d\n", -call(425, 8, 0));
    return 0;
}
