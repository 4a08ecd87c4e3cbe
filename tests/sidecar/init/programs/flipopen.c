/* Opens a path that another thread keeps changing: flipopen HARMLESS SECRET TRIES [hold]. Prints how often the secret was
 * read; who holds it keeps it open instead, and prints for how many milliseconds, for two seconds at most. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[4096];
static const char *names[2];
static _Atomic int over;

/* One byte is enough to change: both names are of one length, and differ in their last. */
static void *flip(void *unused) {
    size_t last = strlen(names[0]) - 1;
    for (unsigned i = 0; !atomic_load(&over); i++)
        *(volatile char *)&path[last] = names[i & 1][last];
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    int reached = 0, tries = argc > 3 ? atoi(argv[3]) : 0;
    names[0] = argv[1];
    names[1] = argv[2];
    strcpy(path, names[0]);
    pthread_create(&thread, NULL, flip, NULL);
    for (int i = 0; i < tries; i++) {
        char text[16] = "";
        int fd = open(path, O_RDONLY | O_NONBLOCK);
        if (fd < 0)
            continue;
        int secret = read(fd, text, sizeof text - 1) > 0 && strncmp(text, "TOP", 3) == 0;
        reached += secret;
        for (int ms = 0; secret && argc > 4 && ms < 2000; ms++) {
            printf("%d\n", ms);
            fflush(stdout);
            usleep(1000);
        }
        close(fd);
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
    printf("%d\n", reached);
    return 0;
}
