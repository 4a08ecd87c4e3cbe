#define _GNU_SOURCE
#include "inherited.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 65536 };

static struct {
    sigset_t mask;
    bool ignored_sigchld;
    struct rlimit files;
    uint8_t open[DESCRIPTORS_MAX / 8];
} taken;

static void note_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    for (struct dirent *e; (e = readdir(folder));) {
        int fd = atoi(e->d_name);
        if (fd > 2 && fd < DESCRIPTORS_MAX && fd != dirfd(folder))
            taken.open[fd / 8] |= (uint8_t)(1 << fd % 8);
    }
    closedir(folder);
}

/* With SIGCHLD ignored the kernel reaps by itself, and the agent's status would be lost. */
static void own_sigchld(void) {
    struct sigaction before, normal = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &normal, &before);
    taken.ignored_sigchld = before.sa_handler == SIG_IGN;
}

void inherited_take(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &taken.mask);
    own_sigchld();
    note_descriptors();
    getrlimit(RLIMIT_NOFILE, &taken.files);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){taken.files.rlim_max, taken.files.rlim_max});
}

void inherited_restore(void) {
    setrlimit(RLIMIT_NOFILE, &taken.files);
    if (taken.ignored_sigchld)
        sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

void inherited_restore_mask(void) { sigprocmask(SIG_SETMASK, &taken.mask, NULL); }

void inherited_close(bool keep_stderr) {
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
        if (taken.open[fd / 8] == 0)
            fd |= 7;
        else if (taken.open[fd / 8] & 1 << fd % 8)
            close(fd);
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = 0; fd < (keep_stderr ? 2 : 3); fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}
