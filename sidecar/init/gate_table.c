#include "gate_table.h"

#include <pthread.h>
#include <stddef.h>

static struct gated table[GATED_MAX];
static struct {
    pthread_mutex_t lock;
    size_t end; /* no entry from here on was ever used */
    uint64_t orders;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct gated *free_one(void) {
    for (struct gated *g = table; g < table + GATED_MAX; g++)
        if (g->state == GATED_FREE)
            return g;
    return NULL;
}

bool gate_table_add(const struct plan *plan, uint64_t now_ns) {
    pthread_mutex_lock(&state.lock);
    struct gated *g = free_one();
    if (g) {
        *g = (struct gated){.state = GATED_WAITING, .plan = *plan, .since_ns = now_ns, .order = ++state.orders};
        if ((size_t)(g - table) >= state.end)
            state.end = (size_t)(g - table) + 1;
    }
    pthread_mutex_unlock(&state.lock);
    return g != NULL;
}

bool gate_table_decide(uint64_t ask, enum gated_verdict verdict) {
    bool found = false;
    pthread_mutex_lock(&state.lock);
    for (struct gated *g = table; g < table + state.end && !found; g++)
        if (g->state == GATED_ASKING && g->ask == ask) {
            g->verdict = verdict;
            found = true;
        }
    pthread_mutex_unlock(&state.lock);
    return found;
}

struct gated *gate_table_next(const struct gated *after) {
    struct gated *g = after ? table + (after - table) + 1 : table;
    pthread_mutex_lock(&state.lock);
    while (g < table + state.end && g->state == GATED_FREE)
        g++;
    struct gated *found = g < table + state.end ? g : NULL;
    pthread_mutex_unlock(&state.lock);
    return found;
}

struct gated *gate_table_find(pid_t tid) {
    for (struct gated *g = NULL; (g = gate_table_next(g));)
        if (g->state != GATED_WAITING && g->plan.who.tid == tid)
            return g;
    return NULL;
}

void gate_table_become(struct gated *g, enum gated_state next, uint64_t now_ns) {
    pthread_mutex_lock(&state.lock);
    g->state = next;
    g->since_ns = now_ns;
    pthread_mutex_unlock(&state.lock);
}

enum gated_verdict gate_table_verdict(const struct gated *g) {
    pthread_mutex_lock(&state.lock);
    enum gated_verdict verdict = g->verdict;
    pthread_mutex_unlock(&state.lock);
    return verdict;
}

void gate_table_remove(struct gated *g) {
    plan_drop(&g->plan);
    pthread_mutex_lock(&state.lock);
    g->state = GATED_FREE;
    pthread_mutex_unlock(&state.lock);
}
