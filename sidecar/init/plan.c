#include "plan.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "counters.h"
#include "kernel.h"
#include "let_go.h"
#include "notify.h"

struct plan plan_continue(uint64_t id, const struct process *who, int nr) {
    return (struct plan){.id = id, .who = *who, .nr = nr, .fd = -1};
}

/* ENOENT: the caller was killed, or a signal took it out of the call. */
static bool send(const struct seccomp_notif_resp *response) {
    if (ioctl(notify_listener, SECCOMP_IOCTL_NOTIF_SEND, response) == 0)
        return true;
    count(&counters.gone);
    return false;
}

bool plan_answer(const struct plan *plan, int64_t result) {
    struct seccomp_notif_resp response = {.id = plan->id};
    if (result < 0)
        response.error = (int)result;
    else
        response.val = result;
    return send(&response);
}

bool plan_let_go_on(const struct plan *plan) {
    return send(&(struct seccomp_notif_resp){.id = plan->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

void plan_drop(struct plan *plan) {
    if (!plan)
        return;
    payload_drop(plan->payload);
    plan->payload = NULL;
    if (plan->fd >= 0)
        let_go(plan->fd);
    plan->fd = -1;
    for (; plan->looks_count > 0; plan->looks_count--)
        if (plan->looks[plan->looks_count - 1] >= 0)
            close(plan->looks[plan->looks_count - 1]);
}

void plan_carry_out(struct plan *plan) {
    if (plan->carry_out) {
        plan->carry_out(plan);
        return;
    }
    plan_drop(plan);
    plan_let_go_on(plan);
}

void plan_refuse(struct plan *plan, int error) {
    if (plan->refuse) {
        plan->refuse(plan, error);
        return;
    }
    plan_drop(plan);
    plan_answer(plan, -error);
}
