#include "trap.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "actors.h"
#include "counters.h"
#include "known.h"
#include "lineage.h"
#include "pending.h"
#include "queue.h"
#include "sip.h"
#include "stance.h"

void trap_recognise(struct trap *t) {
    if (t->who.tid == 0)
        t->who = process_of((pid_t)t->call->pid, t->now_ns);
    if (t->actor == 0)
        t->actor = actors_of(&t->who, t->now_ns);
}

void trap_identify(struct trap *t) {
    trap_recognise(t);
    lineage_introduce(t);
}

uint64_t trap_key(const struct trap *t, enum inscope_kind kind, const uint64_t *facts, size_t count) {
    uint64_t words[2 + TRAP_FACTS_MAX] = {t->actor, kind};
    memcpy(words + 2, facts, count * sizeof *facts);
    return t->actor ? sip_words(words, 2 + count) : 0;
}

bool trap_is_known(struct trap *t, enum inscope_kind kind, const uint64_t *facts, size_t count) {
    t->key = trap_key(t, kind, facts, count);
    return known_holds(t->key, NULL);
}

void trap_file_facts(const struct inscope_file *file, uint64_t out[FILE_FACTS]) {
    out[0] = file->device;
    out[1] = file->inode;
    out[2] = file->size;
    out[3] = (uint64_t)file->mtime_ns;
    out[4] = (uint64_t)file->ctime_ns;
}

void trap_begin(struct trap *t, enum inscope_kind kind) {
    message_begin(t->message, kind, &t->who, t->now_ns);
    message_key(t->message, t->key);
}

/* What became of the call may have been decided after the record was begun. */
bool trap_push(struct trap *t) {
    message_ask(t->message, t->ask);
    if (t->denied)
        message_flag(t->message, INSCOPE_DENIED);
    return t->ask ? pending_tell(t->message) : queue_push(t->message);
}

bool trap_stands(struct trap *t) {
    uint64_t id = t->call->id;
    if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 || errno != ENOENT)
        return true; /* before Linux 5.9 the request has another number: the answer will tell */
    count(&counters.gone);
    t->answered = true;
    return false;
}

/* ENOENT: the caller was killed, or a signal took it out of the call. */
static bool answer(struct trap *t, uint32_t flags, int error) {
    struct seccomp_notif_resp response = {.id = t->call->id, .error = -error, .flags = flags};
    t->answered = true;
    t->denied = error != 0;
    if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0)
        return true;
    count(&counters.gone);
    return false;
}

bool trap_pass(struct trap *t) { return !t->answered && answer(t, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0); }

struct plan trap_plan(const struct trap *t) { return plan_continue(t->call->id, &t->who, t->call->data.nr); }

static bool enforce(struct trap *t, bool known, struct plan *plan, unsigned verdicts) {
    t->answered = t->enforced = true;
    if (known) {
        plan_carry_out(plan);
        return true;
    }
    if (pending_hold(plan, verdicts, t->now_ns)) {
        t->ask = plan->id;
        return true;
    }
    count(&counters.expired);
    t->denied = true;
    plan_refuse(plan, EACCES);
    return true;
}

static bool decide(struct trap *t, bool known, struct plan *plan, unsigned verdicts) {
    struct plan own = trap_plan(t);
    if (t->answered || !stance_enforces()) {
        plan_drop(plan);
        return trap_pass(t);
    }
    return enforce(t, known, plan ? plan : &own, verdicts);
}

/* Counted when it was let go on: a caller that a signal took out of the call comes again with it. */
bool trap_decide(struct trap *t, bool known, struct plan *plan, unsigned verdicts) {
    bool stands = decide(t, known, plan, verdicts);
    if (stands && known)
        known_count(t->key);
    return stands;
}

bool trap_refuse(struct trap *t, int error) { return !t->answered && answer(t, 0, error); }

void trap_flag(struct trap *t, unsigned flags) {
    for (unsigned bit = 1; bit <= flags; bit <<= 1)
        if (flags & bit)
            message_flag(t->message, (enum inscope_flag)bit);
    if (flags & INSCOPE_UNREADABLE)
        count(&counters.unreadable);
}

void trap_report(struct trap *t, enum inscope_kind kind, const void *body, size_t size, unsigned flags) {
    trap_begin(t, kind);
    message_body(t->message, body, size);
    trap_flag(t, flags);
    trap_push(t);
}

void trap_queue_image(struct trap *t, struct image *image, unsigned flags) {
    bool unreadable = false;
    int fd = image->path_fd < 0 ? -1 : image_open(image, t->ask || queue_takes_fd(), t->now_ns, &unreadable);
    message_set_body(t->message, &image->file, sizeof image->file);
    trap_flag(t, flags | (unreadable ? INSCOPE_UNREADABLE : 0));
    if (fd >= 0)
        message_attach(t->message, fd);
    if (!trap_push(t) && fd >= 0)
        image_not_passed(image);
}
