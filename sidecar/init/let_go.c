#define _GNU_SOURCE
#include "let_go.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thread.h"

enum { LINGERING_MAX = 16 };

static _Atomic int lingering;

static bool lingers(int fd) {
    struct linger how = {0};
    socklen_t size = sizeof how;
    return getsockopt(fd, SOL_SOCKET, SO_LINGER, &how, &size) == 0 && how.l_onoff && how.l_linger > 0;
}

static void *close_patiently(void *fd) {
    close((int)(intptr_t)fd);
    atomic_fetch_sub(&lingering, 1);
    return NULL;
}

static bool close_elsewhere(int fd) {
    if (atomic_fetch_add(&lingering, 1) < LINGERING_MAX && thread_start(close_patiently, (void *)(intptr_t)fd))
        return true;
    atomic_fetch_sub(&lingering, 1);
    return false;
}

void let_go(int fd) {
    if (lingers(fd)) {
        if (close_elsewhere(fd))
            return;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){0}, sizeof(struct linger));
    }
    close(fd);
}
