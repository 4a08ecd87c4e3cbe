/* The acts that the sidecar called known: they are counted here, and told as counts. Bounded: an act that finds no room
 * stays unknown. Any thread. */
#ifndef INSCOPE_KNOWN_H
#define INSCOPE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/* Whether the act with this key (0: it has none) is known. For an exec, *actor (may be NULL) gets the number of the
 * program. */
bool known_holds(uint64_t key, uint64_t *actor);

/* The act, which was known a moment ago, was let go on. What cannot be told any more is counted as lost. */
void known_count(uint64_t key);

/* Take in a KNOWN: `size` bytes of entries after its body. False: they are not what the body says. */
bool known_learn(const struct inscope_known *body, const uint8_t *entries, size_t size);

/* Take up to `most` counts out; gives how many. */
size_t known_take_repeats(struct inscope_repeat *out, size_t most);

/* Forget all, since the sidecar that knows what the keys stand for is gone; gives the sum of the counts not taken. */
uint64_t known_forget(void);

#endif
