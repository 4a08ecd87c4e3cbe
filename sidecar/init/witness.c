#define _GNU_SOURCE
#include "witness.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 100 };

static void testify(int fd) {
    int32_t number;
    while (recv(fd, &number, sizeof number, 0) == sizeof number) {
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, number);
        int32_t seen = sigtimedwait(&only, NULL, &(struct timespec){0, 0}) == number;
        send(fd, &seen, sizeof seen, MSG_NOSIGNAL);
    }
    _exit(0);
}

struct witness witness_start(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return (struct witness){-1, -1};
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        syscall(SYS_close_range, 0, ends[1] - 1, 0);
        syscall(SYS_close_range, ends[1] + 1, ~0u, 0);
        testify(ends[1]);
    }
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    return (struct witness){pid, pid < 0 ? -1 : ends[0]};
}

/* A stopped witness (SIGSTOP to the group) cannot answer: then the front was stopped too, and what wakes it is the
 * SIGCONT that wakes both. */
bool witness_saw(const struct witness *w, int signal) {
    int32_t number = signal, seen = 0;
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    if (w->fd < 0 || send(w->fd, &number, sizeof number, MSG_NOSIGNAL) != sizeof number)
        return false;
    return poll(&p, 1, PATIENCE_MS) == 1 && recv(w->fd, &seen, sizeof seen, 0) == sizeof seen && seen;
}

bool witness_saw_stop(const struct witness *w) {
    bool tstp = witness_saw(w, SIGTSTP), ttin = witness_saw(w, SIGTTIN), ttou = witness_saw(w, SIGTTOU);
    return tstp || ttin || ttou;
}

void witness_stop(const struct witness *w) {
    if (w->pid <= 0)
        return;
    kill(w->pid, SIGKILL);
    waitpid(w->pid, NULL, 0);
}
