/* PROGRAM: exec it from a thread that is not the process's first. */
#include <pthread.h>
#include <unistd.h>

static void *run(void *path) {
    char *argv[] = {path, NULL};
    execv(path, argv);
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t thread;
    if (count != 2 || pthread_create(&thread, NULL, run, arguments[1]))
        return 1;
    pause();
    return 1;
}
