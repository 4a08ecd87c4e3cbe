#include "tallies.h"

#include <stdint.h>
#include <string.h>

#include "connection.h"
#include "counters.h"
#include "known.h"
#include "message.h"
#include "process.h"

enum { REPEATS_AT_ONCE = 512 };

static struct message outgoing;
static struct inscope_counters told;

void tallies_begin(void) { memset(&told, 0, sizeof told); }

static struct inscope_counters snapshot(void) {
    return (struct inscope_counters){counters.traps,      counters.records, counters.lost_queue, counters.lost_away,
                                     counters.unreadable, counters.opens,   counters.repeats,    counters.gone,
                                     counters.busy,       counters.undumpable, counters.expired};
}

static bool tell_counters(void) {
    struct inscope_counters now = snapshot();
    if (memcmp(&now, &told, sizeof now) == 0)
        return true;
    told = now;
    message_begin(&outgoing, INSCOPE_COUNTERS, NULL, boottime_ns());
    message_body(&outgoing, &now, sizeof now);
    return connection_send_message(&outgoing);
}

/* False: the sidecar is gone, and these counts with it. */
static bool tell_some_repeats(bool *more) {
    static struct inscope_repeat repeats[REPEATS_AT_ONCE];
    struct inscope_repeated body = {(uint32_t)known_take_repeats(repeats, REPEATS_AT_ONCE)};
    *more = body.count == REPEATS_AT_ONCE;
    if (body.count == 0)
        return true;
    message_begin(&outgoing, INSCOPE_REPEATED, NULL, boottime_ns());
    message_body(&outgoing, &body, sizeof body);
    message_body(&outgoing, repeats, body.count * sizeof *repeats);
    if (connection_send_message(&outgoing))
        return true;
    for (size_t i = 0; i < body.count; i++)
        atomic_fetch_add(&counters.lost_away, repeats[i].times);
    return false;
}

static bool tell_repeats(void) {
    bool more = true;
    while (more)
        if (!tell_some_repeats(&more))
            return false;
    return true;
}

bool tallies_tell(void) { return tell_repeats() && tell_counters(); }
