#include "known.h"

#include <pthread.h>
#include <string.h>

#include "counters.h"

enum { SLOTS = 2 * INSCOPE_KNOWN_MAX, NONE = 0 };

/* `sets`: a bit for each of two sets, the one in force and the one that is being put together. */
struct act {
    uint64_t key, actor, times;
    uint8_t sets;
};

static struct {
    pthread_mutex_t lock;
    uint32_t generation, coming; /* of the set in force, and of the one that is being put together */
    uint8_t in_force; /* 1 or 2: a bit of `sets` */
    size_t used, counted;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .in_force = 1};

/* Apart from what has initial values, so that they are no part of the program file. Acts are in a row, found by a small
 * table of their numbers (from 1), so that memory is touched for those that there are. */
static struct act acts[INSCOPE_KNOWN_MAX];
static uint16_t slots[SLOTS];
static uint16_t counted[INSCOPE_KNOWN_MAX]; /* which acts have counts to tell */

/* Keys are keyed hashes, so their low bits are as good as any. The slot of the key, or an empty one. */
static uint16_t *slot_of(uint64_t key) {
    size_t at = key % SLOTS;
    while (slots[at] != NONE && acts[slots[at] - 1].key != key)
        at = (at + 1) % SLOTS;
    return &slots[at];
}

/* NULL: there is none. */
static struct act *find(uint64_t key) {
    uint16_t number = *slot_of(key);
    return number == NONE ? NULL : &acts[number - 1];
}

static void place(const struct act *act) {
    *slot_of(act->key) = (uint16_t)(state.used + 1);
    acts[state.used++] = *act;
}

bool known_holds(uint64_t key, uint64_t *actor) {
    pthread_mutex_lock(&state.lock);
    const struct act *act = key ? find(key) : NULL;
    bool known = act && act->sets & state.in_force;
    if (known && actor)
        *actor = act->actor;
    pthread_mutex_unlock(&state.lock);
    return known;
}

static bool count_again(struct act *act) {
    if (act && act->times++ == 0)
        counted[state.counted++] = (uint16_t)(act - acts);
    return act != NULL;
}

void known_count(uint64_t key) {
    if (key == 0)
        return;
    pthread_mutex_lock(&state.lock);
    bool found = count_again(find(key));
    pthread_mutex_unlock(&state.lock);
    if (!found)
        count(&counters.lost_away);
}

static void add(const struct inscope_known_act *told, uint8_t set) {
    struct act *act = told->key ? find(told->key) : NULL;
    if (act) {
        act->actor = told->actor;
        act->sets |= set;
    } else if (told->key && state.used < INSCOPE_KNOWN_MAX)
        place(&(struct act){.key = told->key, .actor = told->actor, .sets = set});
}

/* What only the old set had keeps its place until the sets change places once more: its counts may not be told yet. */
static void empty(uint8_t set) {
    size_t before = state.used;
    memset(slots, 0, sizeof slots);
    state.used = state.counted = 0;
    for (size_t i = 0; i < before; i++) {
        struct act act = acts[i];
        act.sets &= (uint8_t)~set;
        if (act.sets == 0 && act.times == 0)
            continue;
        if (act.times)
            counted[state.counted++] = (uint16_t)state.used;
        place(&act);
    }
}

static void learn(const struct inscope_known *body, const uint8_t *entries) {
    uint8_t other = state.in_force ^ 3;
    bool adds = body->generation == state.generation;
    if (!adds && body->generation != state.coming) {
        state.coming = body->generation;
        empty(other);
    }
    for (size_t i = 0; i < body->count; i++) {
        struct inscope_known_act act;
        memcpy(&act, entries + i * sizeof act, sizeof act);
        add(&act, adds ? state.in_force : other);
    }
    if (!adds && body->last) {
        state.in_force = other;
        state.generation = body->generation;
    }
}

bool known_learn(const struct inscope_known *body, const uint8_t *entries, size_t size) {
    if (size != body->count * sizeof(struct inscope_known_act))
        return false;
    pthread_mutex_lock(&state.lock);
    learn(body, entries);
    pthread_mutex_unlock(&state.lock);
    return true;
}

size_t known_take_repeats(struct inscope_repeat *out, size_t most) {
    size_t taken = 0;
    pthread_mutex_lock(&state.lock);
    while (taken < most && state.counted > 0) {
        struct act *act = &acts[counted[--state.counted]];
        out[taken++] = (struct inscope_repeat){act->key, act->times};
        act->times = 0;
    }
    pthread_mutex_unlock(&state.lock);
    return taken;
}

uint64_t known_forget(void) {
    uint64_t untold = 0;
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < state.used; i++)
        untold += acts[i].times;
    memset(slots, 0, sizeof slots);
    state.used = state.counted = 0;
    state.generation = state.coming = 0;
    pthread_mutex_unlock(&state.lock);
    return untold;
}
