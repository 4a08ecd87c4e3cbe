/* Maps executable by a descriptor that another thread keeps replacing: racemap GOOD EVIL TRIES. Where EVIL (whose first
 * byte is not GOOD's) was mapped, says when, and then for how long it lives on. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NUMBER = 50, PAGE = 4096 };

static int files[2];
static _Atomic int over;

static void *flip(void *unused) {
    for (unsigned i = 0; !atomic_load(&over); i++)
        dup2(files[i & 1], NUMBER);
    return unused;
}

static double ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void live_on(double since) {
    for (;;) {
        printf("%.3f\n", ms() - since);
        fflush(stdout);
        usleep(200);
    }
}

int main(int argc, char **argv) {
    pthread_t thread;
    int tries = argc > 3 ? atoi(argv[3]) : 0;
    char good = 0;
    for (int i = 0; i < 2; i++)
        files[i] = open(argv[i + 1], O_RDONLY);
    if (pread(files[0], &good, 1, 0) != 1 || dup2(files[0], NUMBER) < 0)
        return 2;
    pthread_create(&thread, NULL, flip, NULL);
    for (int i = 0; i < tries; i++) {
        const char *at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, NUMBER, 0);
        if (at == MAP_FAILED)
            continue;
        if (*at != good) {
            printf("%d tries\n", i + 1);
            live_on(ms());
        }
        munmap((void *)(unsigned long)at, PAGE);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    printf("never\n");
    return 0;
}
