/* family|port|socket TRIES ALLOWED FORBIDDEN [PATH]: connect TRIES times to 127.0.0.1 while a thread gives the address no
 * family and port FORBIDDEN by turns, or port ALLOWED and FORBIDDEN, or makes it and the socket behind the descriptor those
 * of the unix socket at PATH and of FORBIDDEN. Prints how many connects ended well. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un path;
} to, other, spare;

enum { FLIPPED = 100 };
static volatile int running = 1;

#define SEEN __asm__ volatile("" ::: "memory") /* written before the next is */

static void *flip_address(void *unused) {
    while (running) {
        memcpy(&to, &other, sizeof to.in);
        SEEN;
        memcpy(&to, &spare, sizeof to.in);
        SEEN;
    }
    return unused;
}

/* The descriptor, and what its address says, are the other's in turn. */
static void *flip_socket(void *unused) {
    while (running) {
        int inet = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
        dup2(local, FLIPPED);
        memcpy(&to, &spare, sizeof to);
        SEEN;
        for (volatile int i = 0; i < 2000; i++)
            ;
        memcpy(&to, &other, sizeof to.in);
        dup2(inet, FLIPPED);
        SEEN;
        for (volatile int i = 0; i < 2000; i++)
            ;
        close(inet);
        close(local);
    }
    return unused;
}

static void address(const char *port) {
    to.in.sin_family = AF_INET;
    to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.in.sin_port = htons((unsigned short)atoi(port));
}

int main(int count, char **arguments) {
    pthread_t thread;
    int connected = 0, swaps = count > 5 && strcmp(arguments[1], "socket") == 0;
    if (count < 5)
        return 1;
    address(arguments[4]);
    other = to;
    address(arguments[3]);
    spare = to;
    if (strcmp(arguments[1], "family") == 0) {
        spare = other;
        spare.any.sa_family = AF_UNSPEC;
    }
    if (swaps) {
        memset(&spare, 0, sizeof spare);
        spare.path.sun_family = AF_UNIX;
        strncpy(spare.path.sun_path, arguments[5], sizeof spare.path.sun_path - 1);
        to = spare;
    }
    pthread_create(&thread, NULL, swaps ? flip_socket : flip_address, NULL);
    for (int i = atoi(arguments[2]); i > 0; i--) {
        int fd = swaps ? FLIPPED : socket(AF_INET, SOCK_STREAM, 0);
        connected += connect(fd, &to.any, i % 2 && swaps ? sizeof to.path : sizeof to.in) == 0;
        if (!swaps)
            close(fd);
    }
    running = 0;
    pthread_join(thread, NULL);
    printf("%d\n", connected);
    return 0;
}
