#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Process and user in one word, so that they are read together; 0: nobody. */
static _Atomic uint64_t guards[GUARDED_COUNT];

void guard_set(enum guarded which, pid_t pid, uid_t uid) {
    atomic_store(&guards[which], pid > 0 ? (uint64_t)uid << 32 | (uint32_t)pid : 0);
}

static pid_t process(int which) { return (pid_t)(uint32_t)atomic_load(&guards[which]); }
static uid_t user(int which) { return (uid_t)(atomic_load(&guards[which]) >> 32); }

/* The kernel compares both numbers, and reads no file; EPERM: it is one, of another user. */
static bool is_thread_of(pid_t id, pid_t pid) { return syscall(SYS_tgkill, pid, id, 0) == 0 || errno == EPERM; }

bool guard_has(pid_t id) {
    for (int i = 0; id > 0 && i < GUARDED_COUNT; i++)
        if (process(i) && (id == process(i) || is_thread_of(id, process(i))))
            return true;
    return false;
}

bool guard_in_group(pid_t group) {
    for (int i = 0; group > 0 && i < GUARDED_COUNT; i++)
        if (i != GUARDED_FRONT && process(i) && getpgid(process(i)) == group)
            return true;
    return false;
}

static bool reached(int which, pid_t group) {
    return process(which) && (group == GUARD_EVERYBODY || getpgid(process(which)) == group);
}

bool guard_suffers(pid_t group, int signal) {
    bool lethal = signal == SIGKILL || signal == SIGSTOP;
    return reached(GUARDED_SIDECAR, group) || (lethal && process(GUARDED_INIT) > 1 && reached(GUARDED_INIT, group));
}

bool guard_of_user(uid_t uid) {
    for (int i = 0; i < GUARDED_COUNT; i++)
        if (process(i) && user(i) == uid)
            return true;
    return false;
}
