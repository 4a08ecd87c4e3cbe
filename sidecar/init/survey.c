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

enum { NICE = 10, SECRETS_MS = 1000 };

enum secrets { UNASKED, AWAITED, LISTED };

static const struct options *surveyed;
static _Atomic int under_way, announced, secrets;

static void secrets_are_listed(void) {
    atomic_store(&secrets, LISTED);
    futex_wake(&secrets);
}

static void done(void) {
    secrets_are_listed();
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
    secrets_are_listed();
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

void survey_announce(void) {
    int unasked = UNASKED;
    atomic_compare_exchange_strong(&secrets, &unasked, AWAITED);
    atomic_store(&announced, 1);
}

void survey_wait_for_secrets(void) {
    static uint64_t until_ns;
    while (atomic_load(&secrets) == AWAITED) {
        uint64_t now = boottime_ns();
        until_ns = until_ns ? until_ns : now + SECRETS_MS * 1000000ull;
        if (now >= until_ns)
            return;
        futex_wait(&secrets, AWAITED, (long)((until_ns - now) / 1000000u) + 1);
    }
}

void survey_wait(uint64_t until_ns) {
    for (uint64_t now; atomic_load(&announced) && (now = boottime_ns()) < until_ns;)
        futex_wait(&announced, 1, (long)((until_ns - now) / 1000000u) + 1);
}
