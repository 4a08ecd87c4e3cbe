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
    bool ignored_sigchld, ignored_own;
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

/* A standard descriptor that is closed must stay so for the agent, but init's own must not take its number. */
static void occupy_standard(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR | O_CLOEXEC); /* the lowest free number is `fd` */
}

static bool take_over(int signal, void (*handler)(int)) {
    struct sigaction before, own = {.sa_handler = handler};
    sigaction(signal, &own, &before);
    return before.sa_handler == SIG_IGN;
}

static void hand_back(int signal, bool ignored) {
    sigaction(signal, &(struct sigaction){.sa_handler = ignored ? SIG_IGN : SIG_DFL}, NULL);
}

static void interrupt(int signal) { (void)signal; }

/* With SIGCHLD ignored the kernel reaps by itself, and the agent's status would be lost. */
static void take_signals(void) {
    taken.ignored_sigchld = take_over(SIGCHLD, SIG_DFL);
    taken.ignored_own = take_over(INHERITED_OWN_SIGNAL, interrupt);
}

void inherited_take(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &taken.mask);
    take_signals();
    occupy_standard();
    note_descriptors();
    getrlimit(RLIMIT_NOFILE, &taken.files);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){taken.files.rlim_max, taken.files.rlim_max});
}

bool inherited_has_room(void) { return taken.files.rlim_max >= INHERITED_FILES_MIN; }

void inherited_restore(void) {
    setrlimit(RLIMIT_NOFILE, &taken.files);
    hand_back(SIGCHLD, taken.ignored_sigchld);
    hand_back(INHERITED_OWN_SIGNAL, taken.ignored_own);
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
