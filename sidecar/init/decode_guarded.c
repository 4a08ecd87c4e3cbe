/* Calls that reach other processes, and the guard among them. Their arguments are numbers, so what is judged is what the
 * kernel does; only a descriptor can change its meaning meanwhile. */
#include "decode.h"

#include <errno.h>

#include "aim.h"
#include "stance.h"

/* Told before it happens: it may end who tells it. */
static void defend(struct trap *t) {
    if (stance_enforces()) {
        call_refuse(t, EPERM, INSCOPE_GUARD);
        return;
    }
    trap_identify(t);
    if (trap_stands(t))
        call_tell(t, INSCOPE_GUARD);
    trap_pass(t);
}

void decode_aimed(struct trap *t) {
    if (aim_at_guard(&t->call->data, (pid_t)t->call->pid))
        defend(t);
    else
        trap_pass(t);
}

void decode_reach(struct trap *t) {
    if (aim_at_guard(&t->call->data, (pid_t)t->call->pid))
        defend(t);
    else
        decode_call(t);
}
