/* Calls whose arguments are numbers: recorded as they are. */
#include "decode.h"

#include <errno.h>
#include <sys/prctl.h>

#include "counters.h"
#include "locate.h"
#include "opened.h"
#include "seen.h"
#include "stance.h"

static struct inscope_call body_of(const struct trap *t, int error) {
    struct inscope_call body = {.nr = t->call->data.nr, .arch = t->call->data.arch, .error = error};
    for (int i = 0; i < 6; i++)
        body.args[i] = t->call->data.args[i];
    return body;
}

static void note(const struct seccomp_data *call) {
    if (call->nr == __NR_seccomp && call->args[0] == SECCOMP_SET_MODE_FILTER &&
        (call->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER))
        count(&counters.busy);
    if (call->nr == __NR_prctl && (int)call->args[0] == PR_SET_DUMPABLE)
        count(&counters.undumpable);
}

/* A mount namespace made by clone shows the same files until one of these is called in it. */
static bool changes_root(int nr) {
    return nr == __NR_chroot || nr == __NR_pivot_root || nr == __NR_mount || nr == __NR_move_mount ||
           nr == __NR_setns || nr == __NR_unshare;
}

/* Init opens files in the place of callers that have its own rights. */
static bool changes_rights(int nr) {
    switch (nr) {
    case __NR_setuid:
    case __NR_setgid:
    case __NR_setreuid:
    case __NR_setregid:
    case __NR_setresuid:
    case __NR_setresgid:
    case __NR_setfsuid:
    case __NR_setfsgid:
    case __NR_capset:
    case __NR_landlock_restrict_self: return true;
    default: return false;
    }
}

static void change_rights(struct plan *plan) {
    opened_rights_differ();
    plan_let_go_on(plan);
}

void decode_call(struct trap *t) {
    if (changes_root(t->call->data.nr))
        locate_roots_differ();
    trap_identify(t);
    struct plan plan = trap_plan(t);
    plan.carry_out = changes_rights(t->call->data.nr) ? change_rights : NULL;
    if (plan.carry_out && !stance_enforces())
        opened_rights_differ();
    if (!trap_decide(t, false, &plan, 1))
        return;
    note(&t->call->data);
    call_tell(t, 0);
}

void call_refuse(struct trap *t, int error, unsigned flags) {
    trap_identify(t);
    if (!trap_refuse(t, error))
        return;
    struct inscope_call body = body_of(t, error);
    trap_report(t, INSCOPE_SYSCALL, &body, sizeof body, flags | INSCOPE_DENIED);
}

void call_tell(struct trap *t, unsigned flags) {
    struct inscope_call body = body_of(t, 0);
    trap_report(t, INSCOPE_SYSCALL, &body, sizeof body, flags);
}

void decode_deny(struct trap *t) { call_refuse(t, EPERM, 0); }

/* io_uring_setup has one number in every ABI. A foreign program makes hundreds of calls: each number is reported once. */
void decode_foreign(struct trap *t) {
    uint32_t nr = (uint32_t)t->call->data.nr;
    if ((nr & ~FOREIGN_NUMBER_BIT) == __NR_io_uring_setup || stance_enforces()) {
        call_refuse(t, EPERM, INSCOPE_FOREIGN);
        return;
    }
    locate_roots_differ(); /* the numbers of other ABIs are not told apart */
    opened_rights_differ();
    trap_identify(t);
    if (!trap_pass(t))
        return;
    struct act act = {.device = t->call->data.arch, .kind = INSCOPE_FOREIGN, .nr = nr};
    if (seen_before(&t->who, &act)) {
        count(&counters.repeats);
        return;
    }
    call_tell(t, INSCOPE_FOREIGN);
}
