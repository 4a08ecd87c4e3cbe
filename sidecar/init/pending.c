#define _GNU_SOURCE
#include "pending.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "again.h"
#include "counters.h"
#include "interrupt.h"
#include "queue.h"

enum { RECORDS_MAX = 8, EMPTY = 0, LOOK_NS = 20000000 };

/* A record, without its descriptor. */
struct kept {
    uint32_t size;
    int fd;
    uint8_t *bytes;
    bool told;
};

struct pending {
    uint64_t id, look_ns; /* id EMPTY: a free slot; when the caller's signals are looked at next */
    struct interrupted call;
    unsigned asked, verdicts; /* how many are to come in all, and still */
    struct plan plan;
    struct kept records[RECORDS_MAX];
    size_t count;
};

static struct pending slots[PENDING_MAX];
static struct {
    pthread_mutex_t lock;
    size_t bytes;
    bool untold; /* there is a record that nobody was told */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic size_t held_now;

static struct pending *find(uint64_t id) {
    for (struct pending *p = slots; p < slots + PENDING_MAX; p++)
        if (p->id == id)
            return p;
    return NULL;
}

bool pending_hold(const struct plan *plan, unsigned verdicts, uint64_t now_ns) {
    pthread_mutex_lock(&state.lock);
    struct pending *p = find(EMPTY);
    if (p) {
        struct interrupted call = interrupt_resume(plan->who.tid, plan->nr, now_ns, INSCOPE_HOLD_MS * 1000000ull);
        *p = (struct pending){
            .id = plan->id, .look_ns = now_ns + call.patience_ns, .call = call, .asked = verdicts, .verdicts = verdicts,
            .plan = *plan};
        held_now++;
    }
    pthread_mutex_unlock(&state.lock);
    return p != NULL;
}

/* NULL: no room. Such a record is told once all the same. */
static struct kept *keep(struct pending *p, struct message *record) {
    bool room = p->count < RECORDS_MAX && state.bytes + record->size <= PENDING_BYTES_MAX;
    uint8_t *bytes = room ? malloc(record->size) : NULL;
    if (!bytes)
        return NULL;
    int fd = record->fd < 0 ? -1 : fcntl(record->fd, F_DUPFD_CLOEXEC, 0);
    struct kept *kept = &p->records[p->count++];
    *kept = (struct kept){(uint32_t)record->size, fd, bytes, false};
    memcpy(bytes, record->bytes, record->size);
    state.bytes += record->size;
    return kept;
}

bool pending_tell(struct message *record) {
    pthread_mutex_lock(&state.lock);
    struct pending *p = find(message_asks(record));
    struct kept *kept = p ? keep(p, record) : NULL;
    bool stored = queue_push(record);
    if (kept && stored)
        kept->told = true;
    state.untold = state.untold || (kept && !stored);
    pthread_mutex_unlock(&state.lock);
    return stored;
}

static void drop_records(struct pending *p) {
    for (size_t i = 0; i < p->count; i++) {
        state.bytes -= p->records[i].size;
        free(p->records[i].bytes);
        if (p->records[i].fd >= 0)
            close(p->records[i].fd);
    }
    p->count = 0;
}

/* Gives the slot back; its plan is the caller's now. */
static struct plan take(struct pending *p) {
    drop_records(p);
    p->id = EMPTY;
    held_now--;
    return p->plan;
}

void pending_decide(const struct inscope_verdict *verdict) {
    pthread_mutex_lock(&state.lock);
    struct pending *p = verdict->ask == EMPTY ? NULL : find(verdict->ask);
    bool over = p && (verdict->error || --p->verdicts == 0);
    struct plan plan;
    if (over)
        plan = take(p);
    pthread_mutex_unlock(&state.lock);
    if (over && verdict->error)
        plan_refuse(&plan, verdict->error > 0 ? verdict->error : EACCES);
    else if (over)
        plan_carry_out(&plan);
}

/* The caller is introduced too: who was asked before may have taken what it knew with it. */
static void tell(struct kept *kept) {
    static struct message message;
    memcpy(message.bytes, kept->bytes, kept->size);
    message.size = kept->size;
    message_detach(&message);
    again_introduce(&message);
    int fd = kept->fd < 0 ? again_open(&message) : fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        message_attach(&message, fd);
    if (queue_push(&message))
        kept->told = true;
    else
        state.untold = true;
}

void pending_tell_untold(void) {
    pthread_mutex_lock(&state.lock);
    bool untold = state.untold;
    state.untold = false;
    for (struct pending *p = slots; p < slots + PENDING_MAX && untold; p++)
        for (size_t i = 0; p->id != EMPTY && i < p->count; i++)
            if (!p->records[i].told)
                tell(&p->records[i]);
    pthread_mutex_unlock(&state.lock);
}

/* Gives its plan back where its time is up. */
static bool expire(struct pending *p, uint64_t now_ns, struct plan *plan) {
    pthread_mutex_lock(&state.lock);
    bool late = p->id != EMPTY && now_ns >= p->call.until_ns;
    if (late)
        *plan = take(p);
    pthread_mutex_unlock(&state.lock);
    return late;
}

/* Whose signals are to be looked at now; an id of EMPTY: nobody's. */
static struct plan due(struct pending *p, uint64_t now_ns) {
    struct plan held = {.id = EMPTY};
    pthread_mutex_lock(&state.lock);
    if (p->id != EMPTY && now_ns >= p->look_ns) {
        held = p->plan;
        p->look_ns = now_ns + LOOK_NS;
    }
    pthread_mutex_unlock(&state.lock);
    return held;
}

/* False: it was decided meanwhile. */
static bool take_interrupted(struct pending *p, uint64_t id, uint64_t now_ns, struct plan *plan) {
    pthread_mutex_lock(&state.lock);
    bool held = p->id == id;
    if (held) {
        interrupt_remember(p->call, now_ns);
        *plan = take(p);
    }
    pthread_mutex_unlock(&state.lock);
    return held;
}

/* Files are read without the lock, which the notify thread takes. */
static void let_signals_in(struct pending *p, uint64_t now_ns) {
    struct plan plan = due(p, now_ns);
    int error = plan.id == EMPTY ? 0 : interrupt_due(plan.who.tid, plan.nr);
    if (plan.refuse && error != ESRCH) /* stopped by the gate: it has its signals afterwards */
        return;
    if (error && take_interrupted(p, plan.id, now_ns, &plan))
        plan_refuse(&plan, error);
}

void pending_attend(uint64_t now_ns) {
    struct plan plan;
    for (struct pending *p = slots; p < slots + PENDING_MAX && atomic_load(&held_now); p++) {
        let_signals_in(p, now_ns);
        if (expire(p, now_ns, &plan)) {
            count(&counters.expired);
            plan_refuse(&plan, EACCES);
        }
    }
}

/* Each record comes to the next sidecar once, and it owes a verdict for each, whatever the one before had answered: one
 * record's verdict must not stand for another's. */
static void ask_again(struct pending *p) {
    p->verdicts = p->asked;
    for (size_t i = 0; i < p->count; i++)
        p->records[i].told = false;
}

void pending_ask_again(void) {
    pthread_mutex_lock(&state.lock);
    queue_take_back_asks();
    for (struct pending *p = slots; p < slots + PENDING_MAX; p++)
        if (p->id != EMPTY)
            ask_again(p);
    state.untold = true;
    pthread_mutex_unlock(&state.lock);
}

static uint64_t soonest_of(const struct pending *p) {
    return p->look_ns < p->call.until_ns ? p->look_ns : p->call.until_ns;
}

int pending_due_ms(uint64_t now_ns, int most) {
    uint64_t soonest = now_ns + (uint64_t)most * 1000000u;
    pthread_mutex_lock(&state.lock);
    for (struct pending *p = slots; held_now && p < slots + PENDING_MAX; p++)
        if (p->id != EMPTY && soonest_of(p) < soonest)
            soonest = soonest_of(p);
    pthread_mutex_unlock(&state.lock);
    return soonest <= now_ns ? 0 : (int)((soonest - now_ns) / 1000000u) + 1;
}

void pending_refuse_all(void) {
    for (struct pending *p = slots; p < slots + PENDING_MAX; p++) {
        pthread_mutex_lock(&state.lock);
        bool held = p->id != EMPTY;
        struct plan plan;
        if (held)
            plan = take(p);
        pthread_mutex_unlock(&state.lock);
        if (held)
            plan_refuse(&plan, EACCES);
    }
}
