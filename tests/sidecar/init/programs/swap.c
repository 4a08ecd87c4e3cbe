/* FOLDER TIMES: exec FOLDER/link again and again while a thread points it at `claimed` and `other` by turns. */
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static void *swap(void *unused) {
    char temporary[4096], link_[4096];
    snprintf(temporary, sizeof temporary, "%s/temporary", folder);
    snprintf(link_, sizeof link_, "%s/link", folder);
    for (int turn = 0;; turn++) {
        if (symlink(turn % 2 ? "claimed" : "other", temporary) == 0)
            rename(temporary, link_);
        usleep(5);
    }
    return unused;
}

int main(int count, char **arguments) {
    char path[4096], *argv[] = {"swapped", NULL};
    pthread_t thread;
    folder = arguments[1];
    snprintf(path, sizeof path, "%s/link", folder);
    if (count != 3 || symlink("claimed", path) || pthread_create(&thread, NULL, swap, NULL))
        return 1;
    for (int i = atoi(arguments[2]); i > 0; i--) {
        pid_t child;
        if (posix_spawn(&child, path, NULL, NULL, argv, NULL) == 0)
            waitpid(child, NULL, 0);
    }
    return 0;
}
