#include "gate_watchdog.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>

#include "futex.h"
#include "process.h"
#include "thread.h"

enum { LOOK_MS = 250, QUIET_LOOKS = 8 };

static _Atomic int awake, never;
static _Atomic pid_t about; /* 0: no call is under way */
static _Atomic uint64_t since_ns;

void gate_watchdog_begin(pid_t pid) {
    atomic_store(&since_ns, boottime_ns());
    atomic_store(&about, pid);
    if (atomic_exchange(&awake, 1) == 0)
        futex_wake(&awake);
}

void gate_watchdog_end(void) { atomic_store(&about, 0); }

static void look(void) {
    pid_t pid = atomic_load(&about);
    if (pid > 1 && boottime_ns() - atomic_load(&since_ns) > WATCHDOG_PATIENCE_MS * 1000000ull)
        kill(pid, SIGKILL);
}

/* Awake for a while after each call, so that most calls need not wake it. */
static void *watch(void *unused) {
    (void)unused;
    for (;;) {
        futex_wait(&awake, 0, -1);
        for (int quiet = 0; quiet < QUIET_LOOKS; quiet++) {
            futex_wait(&never, 0, LOOK_MS);
            look();
        }
        atomic_store(&awake, 0);
        if (atomic_load(&about) != 0)
            atomic_store(&awake, 1);
    }
    return NULL;
}

bool gate_watchdog_start(void) { return thread_start(watch, NULL); }
