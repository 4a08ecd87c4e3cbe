#include "seen.h"

#include <stddef.h>
#include <string.h>

#include "sip.h"

enum { SETS = 512, WAYS = 4, GENERATIONS = 1024 };

static uint64_t acts[SETS][WAYS];
/* Shared by processes whose ids collide: a foreign exec only causes a record too many, never one too few. */
static uint32_t generations[GENERATIONS];

void seen_exec(pid_t pid) { generations[(unsigned)pid % GENERATIONS]++; }

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
    return remember(sip_words(words, sizeof words / sizeof *words));
}
