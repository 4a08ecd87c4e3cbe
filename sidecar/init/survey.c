#define _GNU_SOURCE
#include "survey.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "futex.h"
#include "inventory.h"
#include "listing.h"
#include "process.h"
#include "thread.h"

enum { NICE = 10 };

static const struct options *surveyed;
static _Atomic int under_way, announced;

static void done(void) {
    atomic_store(&under_way, 0);
    atomic_store(&announced, 0);
    futex_wake(&announced);
}

/* The agent is starting meanwhile, and comes first. */
static void *run(void *unused) {
    static struct message message;
    struct listing l = {.message = &message};
    (void)unused;
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    /* The quick ones first: an agent may end before the long one is done. */
    inventory_reach(&l);
    inventory_secrets(&l);
    inventory_code(&l, surveyed);
    done();
    return NULL;
}

void survey_start(const struct options *options) {
    if (atomic_exchange(&under_way, 1))
        return;
    surveyed = options;
    if (!thread_start(run, NULL))
        done();
}

void survey_announce(void) { atomic_store(&announced, 1); }

void survey_wait(uint64_t until_ns) {
    for (uint64_t now; atomic_load(&announced) && (now = boottime_ns()) < until_ns;)
        futex_wait(&announced, 1, (long)((until_ns - now) / 1000000u) + 1);
}
