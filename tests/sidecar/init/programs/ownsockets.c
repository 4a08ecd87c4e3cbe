/* ALLOWED FORBIDDEN: a thread with a table of files of its own connects by a number that is another socket to the leader. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER = 50 };

static int connect_to(const char *port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(NUMBER, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

static void *run(void *arguments) {
    char **ports = arguments;
    if (unshare(CLONE_FILES))
        return NULL;
    dup2(socket(AF_INET, SOCK_STREAM, 0), NUMBER); /* the leader has a file there */
    printf("%d\n", connect_to(ports[2]));
    printf("%d\n", connect_to(ports[1]));
    return write(NUMBER, "own", 3) == 3 ? arguments : NULL;
}

int main(int count, char **arguments) {
    pthread_t thread;
    void *done = NULL;
    if (count != 3)
        return 1;
    dup2(0, NUMBER);
    pthread_create(&thread, NULL, run, arguments);
    pthread_join(thread, &done);
    return done ? 0 : 1;
}
