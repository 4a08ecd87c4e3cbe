#define _GNU_SOURCE
#include "survey.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inventory.h"
#include "listing.h"
#include "thread.h"

enum { NICE = 10 };

static const struct options *surveyed;
static _Atomic int under_way;

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
    atomic_store(&under_way, 0);
    return NULL;
}

void survey_start(const struct options *options) {
    if (atomic_exchange(&under_way, 1))
        return;
    surveyed = options;
    if (!thread_start(run, NULL))
        atomic_store(&under_way, 0);
}
