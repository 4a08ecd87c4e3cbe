#include "seen.h"

#include <stddef.h>
#include <string.h>

enum { SETS = 512, WAYS = 4, GENERATIONS = 1024 };

static uint64_t key0, key1;
static uint64_t acts[SETS][WAYS];
/* Shared by processes whose ids collide: a foreign exec only causes a record too many, never one too few. */
static uint32_t generations[GENERATIONS];

void seen_key(const uint8_t key[16]) {
    memcpy(&key0, key, 8);
    memcpy(&key1, key + 8, 8);
}

void seen_exec(pid_t pid) { generations[(unsigned)pid % GENERATIONS]++; }

static uint64_t turn(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = turn(v[1], 13) ^ v[0], v[0] = turn(v[0], 32);
    v[2] += v[3], v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turn(v[1], 17) ^ v[2], v[2] = turn(v[2], 32);
}

/* SipHash-1-3 over whole words (Aumasson and Bernstein, 2012). */
static uint64_t sip(const uint64_t *words, size_t count) {
    uint64_t v[4] = {key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du, key0 ^ 0x6c7967656e657261u,
                     key1 ^ 0x7465646279746573u};
    for (size_t i = 0; i < count; i++) {
        v[3] ^= words[i];
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool remember(uint64_t hash) {
    uint64_t *set = acts[hash % SETS];
    for (int way = 0; way < WAYS; way++)
        if (set[way] == hash)
            return true;
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = hash;
    return false;
}

bool seen_before(const struct process *who, const struct act *act) {
    const uint64_t words[] = {(uint64_t)(uint32_t)who->pid << 32 | generations[(unsigned)who->pid % GENERATIONS],
                              who->start,
                              act->device,
                              act->inode,
                              act->size,
                              (uint64_t)act->mtime_ns,
                              (uint64_t)act->ctime_ns,
                              (uint64_t)act->kind << 32 | act->nr};
    return remember(sip(words, sizeof words / sizeof *words));
}
