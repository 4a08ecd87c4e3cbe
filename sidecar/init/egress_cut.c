#define _GNU_SOURCE
#include "egress_cut.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "egress.h"
#include "egress_reach.h"
#include "futex.h"
#include "process.h"
#include "stance.h"
#include "thread.h"

enum { AGAIN_MS = 500, PATH_ROOM = 64, LINK_ROOM = 16 };

static _Atomic int cutting;

/* Without its peer a TCP socket is closed, or listens no more. Any other may still send to whom it is told, so it is shut down,
 * which lasts. */
static void cut(const struct reached *own, const struct inscope_address *what) {
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    bool internet = own->domain == AF_INET || own->domain == AF_INET6;
    connect(own->fd, &nobody, sizeof nobody);
    if (!internet || what->type != SOCK_STREAM)
        shutdown(own->fd, SHUT_RDWR);
}

static void cut_descriptor(const struct process *who, int descriptor) {
    struct inscope_address found = {0};
    struct reached own = egress_reach(who, descriptor, &found);
    if (own.fd < 0)
        return;
    if (egress_is_cut(own.domain))
        cut(&own, &found);
    close(own.fd);
}

static void cut_files(const struct process *who) {
    char path[PATH_ROOM], text[LINK_ROOM];
    snprintf(path, sizeof path, "/proc/%d/task/%d/fd", who->pid, who->tid);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        ssize_t n = e->d_name[0] == '.' ? -1 : readlinkat(dirfd(folder), e->d_name, text, sizeof text);
        if (n > 7 && memcmp(text, "socket:", 7) == 0)
            cut_descriptor(who, atoi(e->d_name));
    }
    if (folder)
        closedir(folder);
}

/* Where it cannot be told, each thread is asked for its own. */
static bool has_own_files(const struct process *who) {
    return who->tid != who->pid && syscall(SYS_kcmp, who->pid, who->tid, KCMP_FILES, 0, 0) != 0;
}

static void cut_process(pid_t pid) {
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    for (struct dirent *e; threads && (e = readdir(threads));) {
        struct process who = {.pid = pid, .tid = (pid_t)atoi(e->d_name)};
        if (who.tid > 0 && (who.tid == pid || has_own_files(&who)))
            cut_files(&who);
    }
    if (threads)
        closedir(threads);
}

static void cut_all(void) {
    DIR *processes = opendir("/proc");
    for (struct dirent *e; processes && (e = readdir(processes));) {
        pid_t pid = (pid_t)atoi(e->d_name);
        if (pid > 0 && process_descends(pid))
            cut_process(pid);
    }
    if (processes)
        closedir(processes);
}

static bool quarantined(void) { return stance() >= INSCOPE_QUARANTINES; }

/* Again and again: a socket may have been on its way from one process to another. */
static void *run(void *unused) {
    for (;;) {
        cut_all();
        futex_wait(&cutting, 1, AGAIN_MS);
        if (quarantined())
            continue;
        atomic_store(&cutting, 0);
        int none = 0; /* it may have begun anew just before */
        if (!quarantined() || !atomic_compare_exchange_strong(&cutting, &none, 1))
            return unused;
    }
}

void egress_cut_heed(void) {
    int none = 0;
    if (!quarantined() || !atomic_compare_exchange_strong(&cutting, &none, 1) || thread_start(run, NULL))
        return;
    atomic_store(&cutting, 0);
    fprintf(stderr, "inscope-init: no thread can be started: what was connected before the quarantine stays so\n");
}
