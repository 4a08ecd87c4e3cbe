/* What every attack in C begins with. The harness gives it, in the environment:
 *   ALLOWED, DENIED                    programs; the denied one writes the file PROOF
 *   ALLOWED_LIBRARY, DENIED_LIBRARY    shared objects, likewise
 *   ALLOWED_PORT, DENIED_PORT          of TCP and UDP listeners on 127.0.0.1 and ::1; what reaches the denied one is proof
 *   ALLOWED_UNIX, DENIED_UNIX          stream sockets, likewise
 *   ALLOWED_SECRET, SECRET             files whose names are watched; what is in the second is proof when it is printed
 *   WORK                               a folder of the attack's own
 *   ROOM                               where it runs
 * Called with `benign` it does what is in scope, which is learned: the allowed half of all that, and what its own
 * `benign()` adds. So the means of an attack are in reference wherever an honest program uses them, and its goal is not.
 */
#ifndef ATTACK_H
#define ATTACK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-result"

void attack(void);
__attribute__((weak)) void benign(void);

static const char *given(const char *name) {
    const char *value = getenv(name);
    if (!value) {
        fprintf(stderr, "%s is not given\n", name);
        _exit(99);
    }
    return value;
}

/* A path in the attack's own folder. */
static const char *work(const char *name) {
    char *path = malloc(4096);
    snprintf(path, 4096, "%s/%s", given("WORK"), name);
    return path;
}

/* The proof of an attack that can say by itself that it succeeded. */
static void won(void) { write(1, "WON\n", 4); }

static uint64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void nap(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

/* Between two turns of a race: without it the file system's locks let nobody else in. */
static void pause_a_little(void) { nanosleep(&(struct timespec){0, 20000}, NULL); }

static struct sockaddr_in loopback(const char *port_of) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(given(port_of))), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct sockaddr_un unix_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int dial(int type, const char *port_of) {
    struct sockaddr_in to = loopback(port_of);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    return fd;
}

/* Print what is in an open file, if it is open. */
static void show(int fd) {
    char text[256];
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (size > 0)
        write(1, text, (size_t)size);
}

static void print_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    show(fd);
    if (fd >= 0)
        close(fd);
}

static void copy(const char *from, const char *to, mode_t mode) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    while (sendfile(out, in, NULL, 1 << 20) > 0)
        ;
    fchmod(out, mode);
    close(in);
    close(out);
}

static char **arguments(const char *name) {
    static char *argv[2];
    argv[0] = (char *)(uintptr_t)name;
    return argv;
}

extern char **environ;

/* Start a program and give its wait status. */
static int spawn(const char *path) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        execve(path, arguments(path), environ);
        _exit(errno == EACCES ? 126 : 127);
    }
    waitpid(pid, &status, 0);
    return status;
}

static pthread_t beside(void *(*what)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, what, argument))
        _exit(98);
    return thread;
}

/* Memory that a child shares. */
static void *shared(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* inscope-init: whose child the agent is, as long as it lives. Only in a container may that be PID 1; elsewhere that is
 * the machine's own. */
static pid_t guarded_by;

static pid_t guard(void) {
    if (guarded_by == 1 && strcmp(given("ROOM"), "runc"))
        _exit(97);
    return guarded_by;
}

static void in_scope(void) {
    spawn(given("ALLOWED"));
    close(dial(SOCK_STREAM, "ALLOWED_PORT"));
    int fd = dial(SOCK_DGRAM, "ALLOWED_PORT");
    struct sockaddr_in to = loopback("ALLOWED_PORT");
    sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
    close(fd);
    struct sockaddr_un peer = unix_at(given("ALLOWED_UNIX"));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connect(fd, (struct sockaddr *)&peer, sizeof peer);
    close(fd);
    close(open(given("ALLOWED_SECRET"), O_RDONLY | O_CLOEXEC));
    int library = open(given("ALLOWED_LIBRARY"), O_RDONLY | O_CLOEXEC);
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, library, 0);
    if (code != MAP_FAILED)
        munmap(code, 4096);
    close(library);
}

int main(int argc, char **argv) {
    guarded_by = getppid();
    if (argc == 2 && strcmp(argv[1], "benign") == 0) {
        in_scope();
        if (benign)
            benign();
    } else {
        write(1, "BEGUN\n", 6);
        attack();
    }
    return 0;
}

#endif
