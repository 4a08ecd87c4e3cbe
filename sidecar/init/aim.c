#define _GNU_SOURCE
#include "aim.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guard.h"
#include "kernel.h"
#include "locate.h"

enum { TEXT_MAX = 4096, IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP = 2, IOPRIO_WHO_USER = 3 };

/* How a call says whom it means, in the argument of that index. */
enum by {
    BY_ID,        /* of a process or thread; 0 is the caller */
    BY_KILL,      /* as kill(2): 0 the own group, -1 everybody, else a group */
    BY_GROUP,     /* a group that is joined */
    BY_PIDFD,
    BY_PIDFD_SIGNAL, /* and the signal follows; a flag makes it mean the process's group */
    BY_LIMIT,     /* an id, where the call sets something */
    BY_PRIORITY,  /* which and who of setpriority(2) */
    BY_IOPRIORITY,
    BY_TWO_IDS,
    BY_SIGIO      /* by nobody's name: the signal is what matters */
};

static const struct {
    int nr;
    enum by by;
    int argument;
} rules[] = {
    {__NR_kill, BY_KILL, 0},
    {__NR_tkill, BY_ID, 0},
    {__NR_tgkill, BY_ID, 1},
    {__NR_rt_sigqueueinfo, BY_ID, 0},
    {__NR_rt_tgsigqueueinfo, BY_ID, 1},
    {__NR_pidfd_send_signal, BY_PIDFD_SIGNAL, 0},
    {__NR_pidfd_getfd, BY_PIDFD, 0},
    {__NR_process_madvise, BY_PIDFD, 0},
    {__NR_pidfd_open, BY_ID, 0},
    {__NR_ptrace, BY_ID, 1},
    {__NR_process_vm_readv, BY_ID, 0},
    {__NR_process_vm_writev, BY_ID, 0},
    {__NR_kcmp, BY_TWO_IDS, 0},
    {__NR_perf_event_open, BY_ID, 1},
    {__NR_migrate_pages, BY_ID, 0},
    {__NR_move_pages, BY_ID, 0},
    {__NR_prlimit64, BY_LIMIT, 0},
    {__NR_sched_setscheduler, BY_ID, 0},
    {__NR_sched_setparam, BY_ID, 0},
    {__NR_sched_setattr, BY_ID, 0},
    {__NR_sched_setaffinity, BY_ID, 0},
    {__NR_setpriority, BY_PRIORITY, 0},
    {__NR_ioprio_set, BY_IOPRIORITY, 0},
    {__NR_setpgid, BY_GROUP, 1},
    {__NR_fcntl, BY_SIGIO, 1},
};

static bool at_kill(pid_t id, int signal, pid_t caller) {
    if (id > 0)
        return guard_has(id);
    if (id == -1)
        return guard_suffers(GUARD_EVERYBODY, signal);
    if (id == INT32_MIN) /* no group has that number */
        return false;
    return guard_suffers(id ? -id : getpgid(caller), signal);
}

static const char *read_text(pid_t caller, const char *name, char out[TEXT_MAX]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", caller, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, TEXT_MAX - 1);
    if (fd >= 0)
        close(fd);
    out[n < 0 ? 0 : n] = 0;
    return out;
}

bool aim_users(pid_t caller, uid_t *real, uid_t *effective) {
    char text[TEXT_MAX];
    const char *line = strstr(read_text(caller, "status", text), "\nUid:");
    return line && sscanf(line + 5, "%u %u", real, effective) == 2;
}

/* Where it cannot be read it is taken for the guard's. */
static bool of_callers_user(pid_t caller) {
    uid_t real, effective;
    return !aim_users(caller, &real, &effective) || guard_of_user(real);
}

/* 0 means the caller's own group or user. Another user's processes are not the caller's to slow down. */
static bool at_which(bool group, pid_t who, pid_t caller) {
    if (group)
        return guard_in_group(who ? who : getpgid(caller));
    return who ? guard_of_user((uid_t)who) : of_callers_user(caller);
}

static bool at_priority(int which, pid_t who, pid_t caller) {
    return which == PRIO_PROCESS ? guard_has(who) : at_which(which == PRIO_PGRP, who, caller);
}

static bool at_io_priority(int which, pid_t who, pid_t caller) {
    return which == IOPRIO_WHO_PROCESS ? guard_has(who) : at_which(which == IOPRIO_WHO_PGRP, who, caller);
}

pid_t aim_parse_fdinfo(const char *text) {
    const char *line = strncmp(text, "Pid:", 4) == 0 ? text : strstr(text, "\nPid:");
    long pid = line ? strtol(strchr(line, ':') + 1, NULL, 10) : 0;
    return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* A folder of /proc serves as well as a pidfd. */
static pid_t of_folder(pid_t caller, int descriptor) {
    char name[32], link[PATH_TEXT];
    snprintf(name, sizeof name, "fd/%d", descriptor);
    if (!locate_link(caller, name, link) || strncmp(link, "/proc/", 6) != 0)
        return 0;
    return (pid_t)strtol(link + 6, NULL, 10);
}

pid_t aim_pidfd(pid_t caller, int descriptor) {
    char name[32], text[TEXT_MAX];
    snprintf(name, sizeof name, "fdinfo/%d", descriptor);
    pid_t pid = aim_parse_fdinfo(read_text(caller, name, text));
    return pid ? pid : of_folder(caller, descriptor);
}

static bool at_pidfd_signal(pid_t caller, int descriptor, int signal) {
    pid_t pid = aim_pidfd(caller, descriptor);
    return pid && (guard_has(pid) || guard_suffers(pid, signal));
}

static bool aims(enum by by, const __u64 *a, pid_t caller) {
    switch (by) {
    case BY_ID: return guard_has((pid_t)a[0]);
    case BY_KILL: return at_kill((pid_t)a[0], (int)a[1], caller);
    case BY_GROUP: return guard_in_group((pid_t)a[0]);
    case BY_PIDFD: return guard_has(aim_pidfd(caller, (int)a[0]));
    case BY_PIDFD_SIGNAL: return at_pidfd_signal(caller, (int)a[0], (int)a[1]);
    case BY_LIMIT: return a[2] && guard_has((pid_t)a[0]);
    case BY_PRIORITY: return at_priority((int)a[0], (pid_t)a[1], caller);
    case BY_IOPRIORITY: return at_io_priority((int)a[0], (pid_t)a[1], caller);
    case BY_TWO_IDS: return guard_has((pid_t)a[0]) || guard_has((pid_t)a[1]);
    case BY_SIGIO: return true; /* the filter has looked already */
    }
    return true;
}

bool aim_at_guard(const struct seccomp_data *call, pid_t caller) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].nr == call->nr)
            return aims(rules[i].by, call->args + rules[i].argument, caller);
    return false;
}
