/* Calls that reach other processes, and the guard among them. Their arguments are numbers, so what is judged is what the
 * kernel does; only a descriptor could change its meaning meanwhile. */
#include "decode.h"

#include <errno.h>

#include "aim.h"
#include "guard.h"
#include "pidfd_signal.h"
#include "scope.h"
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

/* Where the kernel itself keeps signals from the guard, the call may go on. */
static bool is_sent_by_init(const struct trap *t) {
    return t->call->data.nr == __NR_pidfd_send_signal && stance_enforces() && !scope_stands();
}

static void send_in_its_place(struct trap *t) {
    const struct seccomp_data *call = &t->call->data;
    pid_t caller = (pid_t)t->call->pid;
    pid_t target = aim_pidfd(caller, (int)call->args[0]);
    if (guard_has(target)) {
        defend(t);
        return;
    }
    struct plan plan = plan_continue(t->call->id, &t->who, call->nr);
    t->answered = true;
    plan_answer(&plan, -pidfd_signal_send(call, caller, target));
}

void decode_aimed(struct trap *t) {
    if (is_sent_by_init(t))
        send_in_its_place(t);
    else if (aim_at_guard(&t->call->data, (pid_t)t->call->pid))
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
