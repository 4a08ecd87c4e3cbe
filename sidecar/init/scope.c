#define _GNU_SOURCE
#include "scope.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* struct landlock_ruleset_attr as it is since ABI 6: older kernels refuse its size. */
struct ruleset {
    uint64_t files, net, scoped;
};

static _Atomic bool stands;

bool scope_signals(void) {
    struct ruleset ruleset = {.scoped = LANDLOCK_SCOPE_SIGNAL_FLAG};
    int fd = (int)syscall(__NR_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
    if (fd < 0)
        return false;
    bool done = syscall(__NR_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    atomic_store(&stands, done);
    return done;
}

bool scope_stands(void) { return atomic_load(&stands); }
