/* What init counts. One writer each (the thread that sees the event), read by the sender: relaxed atomics. */
#ifndef INSCOPE_COUNTERS_H
#define INSCOPE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

struct counters {
    _Atomic uint64_t traps, records, lost_queue, lost_away, unreadable, opens, repeats, gone, busy, undumpable, expired;
};

extern struct counters counters;

static inline void count(_Atomic uint64_t *counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

#endif
