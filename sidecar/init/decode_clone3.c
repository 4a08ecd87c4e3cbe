#include "decode.h"

#include <errno.h>

#include "memory.h"
#include "stance.h"

#define NAMESPACE_FLAGS 0x7e020080u /* CLONE_NEW*, time namespaces included, which clone cannot name */

/* The flags are the first word of struct clone_args. They take the place of the pointer in the record. */
void decode_clone3(struct trap *t) {
    uint64_t flags = 0;
    if (stance_enforces()) {
        trap_refuse(t, ENOSYS);
        return;
    }
    if (t->call->data.args[1] >= sizeof flags)
        memory_copy((pid_t)t->call->pid, t->call->data.args[0], &flags, sizeof flags);
    if (!(flags & NAMESPACE_FLAGS)) {
        trap_pass(t);
        return;
    }
    trap_identify(t);
    if (!trap_pass(t))
        return;
    struct inscope_call body = {.nr = t->call->data.nr, .arch = t->call->data.arch, .args = {flags}};
    trap_report(t, INSCOPE_SYSCALL, &body, sizeof body, 0);
}
