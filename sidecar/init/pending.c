#define _GNU_SOURCE
#include "pending.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "queue.h"

enum { RECORDS_MAX = 8, EMPTY = 0 };

struct kept {
    uint32_t size;
    int fd;
    uint8_t *bytes;
    bool told;
};

struct pending {
    uint64_t id, until_ns; /* id EMPTY: a free slot */
    unsigned verdicts;
    struct plan plan;
    struct kept records[RECORDS_MAX];
    size_t count;
};

static struct pending slots[PENDING_MAX];
static struct {
    pthread_mutex_t lock;
    size_t bytes, held;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

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
        *p = (struct pending){
            .id = plan->id, .until_ns = now_ns + INSCOPE_HOLD_MS * 1000000ull, .verdicts = verdicts, .plan = *plan};
        state.held++;
    }
    pthread_mutex_unlock(&state.lock);
    return p != NULL;
}

/* A record that cannot be kept is told once all the same. */
void pending_keep(uint64_t ask, const struct message *record) {
    pthread_mutex_lock(&state.lock);
    struct pending *p = find(ask);
    bool room = p && p->count < RECORDS_MAX && state.bytes + record->size <= PENDING_BYTES_MAX;
    uint8_t *bytes = room ? malloc(record->size) : NULL;
    if (bytes) {
        memcpy(bytes, record->bytes, record->size);
        int fd = record->fd < 0 ? -1 : fcntl(record->fd, F_DUPFD_CLOEXEC, 0);
        p->records[p->count++] = (struct kept){(uint32_t)record->size, fd, bytes, true};
        state.bytes += record->size;
    }
    pthread_mutex_unlock(&state.lock);
}

void pending_untold(uint64_t ask) {
    pthread_mutex_lock(&state.lock);
    struct pending *p = find(ask);
    if (p && p->count)
        p->records[p->count - 1].told = false;
    pthread_mutex_unlock(&state.lock);
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
    state.held--;
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

static void tell(const struct kept *kept) {
    static struct message message;
    memcpy(message.bytes, kept->bytes, kept->size);
    message.size = kept->size;
    message.fd = kept->fd < 0 ? -1 : fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
    queue_push(&message);
}

static void tell_untold(struct pending *p) {
    for (size_t i = 0; i < p->count; i++)
        if (!p->records[i].told) {
            p->records[i].told = true;
            tell(&p->records[i]);
        }
}

void pending_attend(uint64_t now_ns) {
    for (struct pending *p = slots; p < slots + PENDING_MAX && state.held; p++) {
        struct plan plan;
        pthread_mutex_lock(&state.lock);
        bool late = p->id != EMPTY && now_ns >= p->until_ns;
        if (late)
            plan = take(p);
        else if (p->id != EMPTY)
            tell_untold(p);
        pthread_mutex_unlock(&state.lock);
        if (late) {
            count(&counters.expired);
            plan_refuse(&plan, EACCES);
        }
    }
}

void pending_ask_again(void) {
    pthread_mutex_lock(&state.lock);
    for (struct pending *p = slots; p < slots + PENDING_MAX; p++)
        for (size_t i = 0; p->id != EMPTY && i < p->count; i++)
            p->records[i].told = false;
    pthread_mutex_unlock(&state.lock);
}

int pending_due_ms(uint64_t now_ns, int most) {
    uint64_t soonest = now_ns + (uint64_t)most * 1000000u;
    pthread_mutex_lock(&state.lock);
    for (struct pending *p = slots; state.held && p < slots + PENDING_MAX; p++)
        if (p->id != EMPTY && p->until_ns < soonest)
            soonest = p->until_ns;
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
