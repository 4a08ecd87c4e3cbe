/* TIMES: let go of as many sockets that linger for a minute with data nobody reads. Prints the seconds it took. Built with
 * let_go.c and thread.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "let_go.h"

static int full_socket(void) {
    static char data[65536];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&at, size) || listen(server, 1) ||
        getsockname(server, (struct sockaddr *)&at, &size) || connect(client, (struct sockaddr *)&at, size))
        exit(1);
    while (send(client, data, sizeof data, MSG_DONTWAIT) > 0)
        ;
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 60}, sizeof(struct linger));
    return client;
}

int main(int count, char **arguments) {
    struct timespec from, to;
    if (count != 2)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = atoi(arguments[1]); i > 0; i--)
        let_go(full_socket());
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%ld\n", (long)(to.tv_sec - from.tv_sec));
    return 0;
}
