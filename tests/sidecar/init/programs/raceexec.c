/* MODE TIMES: in a folder with the programs `claimed` (exits 0) and `other` (exits 77), spawn what is named `claimed`
 * while something else is put in its place; prints how often each ran, was refused, and was killed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFUSED = 99, OTHER = 77, DESCRIPTOR = 200, STACK = 65536 };

static char path[64] = "claimed";
static int by_descriptor;

static void flip_link(int turn) {
    if (symlink(turn % 2 ? "claimed" : "other", "temporary") == 0)
        rename("temporary", "link");
}

static void flip_name(int turn) {
    unlink("temporary");
    if (link(turn % 2 ? "claimed" : "other", "temporary") == 0)
        rename("temporary", "name");
}

static void flip_pointer(int turn) { memcpy(path, turn % 2 ? "claimed" : "./other", 8); }

static void flip_descriptor(int turn) {
    static int fds[2];
    if (!fds[0]) {
        fds[1] = open("claimed", O_PATH | O_CLOEXEC);
        fds[0] = open("other", O_PATH | O_CLOEXEC);
    }
    dup2(fds[turn % 2], DESCRIPTOR);
}

/* Both have the same size. */
static void copy_content(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (in >= 0 && out >= 0 && fstat(in, &st) == 0) {
        char *a = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in, 0);
        char *b = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
        if (a != MAP_FAILED && b != MAP_FAILED)
            memcpy(b, a, (size_t)st.st_size);
        munmap(a, (size_t)st.st_size);
        munmap(b, (size_t)st.st_size);
    }
    close(in);
    close(out);
}

static void flip_content(int turn) { copy_content(turn % 2 ? "claimed" : "other", "content"); }

static const struct mode {
    const char *name, *path;
    void (*flip)(int turn);
    int process;
} modes[] = {{"link", "link", flip_link, 0},          {"rename", "name", flip_name, 0},
             {"thread", "claimed", flip_pointer, 0},   {"process", "claimed", flip_pointer, 1},
             {"descriptor", "", flip_descriptor, 0},   {"content", "content", flip_content, 0}};

static int flip(void *mode) {
    for (int turn = 0;; turn++) {
        ((const struct mode *)mode)->flip(turn);
        if (turn % 61 == 0)
            usleep(1);
    }
    return 0;
}

static void *flip_in_thread(void *mode) {
    flip(mode);
    return NULL;
}

static int child(void *unused) {
    char *argv[] = {"raced", NULL};
    (void)unused;
    if (by_descriptor)
        syscall(SYS_execveat, DESCRIPTOR, "", argv, environ, AT_EMPTY_PATH);
    else
        execve(path, argv, environ);
    _exit(REFUSED);
}

/* Gives the process to be ended, if it is one. */
static pid_t start(const struct mode *mode) {
    static char stack[STACK];
    pthread_t thread;
    mode->flip(1);
    strcpy(path, mode->path);
    by_descriptor = !*mode->path;
    if (mode->process)
        return clone(flip, stack + STACK, CLONE_VM, (void *)mode);
    pthread_create(&thread, NULL, flip_in_thread, (void *)mode);
    return 0;
}

int main(int count, char **arguments) {
    static char stack[STACK];
    int ran[4] = {0};
    const struct mode *mode = modes;
    while (count == 3 && mode < modes + 6 && strcmp(mode->name, arguments[1]))
        mode++;
    if (count != 3 || mode == modes + 6)
        return 1;
    pid_t flipping = start(mode);
    for (int i = atoi(arguments[2]); i > 0; i--) {
        int status = 0;
        pid_t pid = clone(child, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, NULL);
        waitpid(pid, &status, 0);
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        ran[code == 0 ? 0 : code == OTHER ? 1 : code == REFUSED ? 2 : 3]++;
    }
    printf("claimed %d other %d refused %d killed %d\n", ran[0], ran[1], ran[2], ran[3]);
    fflush(stdout);
    if (flipping)
        kill(flipping, SIGKILL);
    _exit(0);
}
