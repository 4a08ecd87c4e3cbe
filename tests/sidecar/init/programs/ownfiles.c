/* OURS THEIRS: a thread unshares its files, and maps as its descriptor N another file than the process's N. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

static char **paths;

static void *run(void *unused) {
    unshare(CLONE_FILES);
    close(3);
    if (open(paths[2], O_RDONLY) == 3)
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 3, 0);
    return unused;
}

int main(int count, char **arguments) {
    pthread_t thread;
    paths = arguments;
    if (count != 3 || open(paths[1], O_RDONLY) != 3)
        return 1;
    pthread_create(&thread, NULL, run, NULL);
    return pthread_join(thread, NULL);
}
