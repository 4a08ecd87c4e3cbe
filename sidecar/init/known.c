#include "known.h"

#include <pthread.h>
#include <string.h>

#include "counters.h"

enum { SLOTS = 2 * INSCOPE_KNOWN_MAX };

/* `sets`: a bit for each of two sets, the one in force and the one that is being put together. */
struct slot {
    uint64_t key, actor, times;
    uint8_t sets;
};

static struct {
    pthread_mutex_t lock;
    uint32_t generation, coming; /* of the set in force, and of the one that is being put together */
    uint8_t in_force; /* 1 or 2: a bit of `sets` */
    size_t used, counted;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .in_force = 1};

/* Apart from what has initial values, so that they are no part of the program file. */
static struct slot slots[SLOTS];
static uint16_t counted[INSCOPE_KNOWN_MAX]; /* which slots have counts to tell */

/* Keys are keyed hashes, so their low bits are as good as any. The slot of the key, or an empty one. */
static struct slot *slot_of(uint64_t key) {
    size_t at = key % SLOTS;
    while (slots[at].key && slots[at].key != key)
        at = (at + 1) % SLOTS;
    return &slots[at];
}

bool known_holds(uint64_t key, uint64_t *actor) {
    pthread_mutex_lock(&state.lock);
    const struct slot *slot = slot_of(key);
    bool known = key && slot->key && slot->sets & state.in_force;
    if (known && actor)
        *actor = slot->actor;
    pthread_mutex_unlock(&state.lock);
    return known;
}

static bool count_again(struct slot *slot) {
    if (slot->key && slot->times++ == 0)
        counted[state.counted++] = (uint16_t)(slot - slots);
    return slot->key != 0;
}

void known_count(uint64_t key) {
    if (key == 0)
        return;
    pthread_mutex_lock(&state.lock);
    bool found = count_again(slot_of(key));
    pthread_mutex_unlock(&state.lock);
    if (!found)
        count(&counters.lost_away);
}

static void add(const struct inscope_known_act *act, uint8_t set) {
    struct slot *slot = slot_of(act->key);
    if (act->key == 0 || (!slot->key && state.used == INSCOPE_KNOWN_MAX))
        return;
    state.used += slot->key == 0;
    slot->key = act->key;
    slot->actor = act->actor;
    slot->sets |= set;
}

/* What only the old set had keeps its slot until the sets change places once more: its counts may not be told yet. */
static void empty(uint8_t set) {
    static struct slot kept[INSCOPE_KNOWN_MAX];
    size_t count = 0;
    for (struct slot *slot = slots; slot < slots + SLOTS; slot++) {
        slot->sets &= (uint8_t)~set;
        if (slot->key && (slot->sets || slot->times))
            kept[count++] = *slot;
    }
    memset(slots, 0, sizeof slots);
    state.used = count;
    state.counted = 0;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_of(kept[i].key);
        *slot = kept[i];
        if (slot->times)
            counted[state.counted++] = (uint16_t)(slot - slots);
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
        struct slot *slot = &slots[counted[--state.counted]];
        out[taken++] = (struct inscope_repeat){slot->key, slot->times};
        slot->times = 0;
    }
    pthread_mutex_unlock(&state.lock);
    return taken;
}

uint64_t known_forget(void) {
    uint64_t untold = 0;
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < SLOTS; i++)
        untold += slots[i].times;
    memset(slots, 0, sizeof slots);
    state.used = state.counted = 0;
    state.generation = state.coming = 0;
    pthread_mutex_unlock(&state.lock);
    return untold;
}
