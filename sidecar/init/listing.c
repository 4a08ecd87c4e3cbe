#define _GNU_SOURCE
#include "listing.h"

#include <unistd.h>

#include "queue.h"

enum { FLUSH_BYTES = 16 * 1024, PAUSE_US = 2000, PAUSES_MAX = 1000 };

static void open_message(struct listing *l) {
    struct inscope_survey body = {0};
    struct process self = {.pid = getpid(), .tid = getpid()};
    l->count = 0;
    message_begin(l->message, INSCOPE_SURVEY, &self, boottime_ns());
    message_body(l->message, &body, sizeof body);
}

/* The survey is not urgent: it leaves half of the ring to what happens now. A sidecar that does not read for two
 * seconds gets it as any other record, dropped and counted when there is no room. */
static void flush(struct listing *l, bool last) {
    struct inscope_survey body = {(uint16_t)l->kind, last, last && l->complete, l->count};
    message_set_body(l->message, &body, sizeof body);
    for (int i = 0; i < PAUSES_MAX && !queue_has_room(); i++)
        usleep(PAUSE_US);
    queue_push(l->message);
    open_message(l);
}

void listing_begin(struct listing *l, enum inscope_survey_kind kind) {
    l->kind = kind;
    l->complete = true;
    l->deadline_ns = boottime_ns() + LISTING_KIND_MS * 1000000ull;
    open_message(l);
}

bool listing_goes_on(struct listing *l) {
    bool bounded = l->members >= LISTING_MEMBERS_MAX || l->bytes >= LISTING_BYTES_MAX;
    if (bounded || boottime_ns() > l->deadline_ns)
        l->complete = false;
    return l->complete;
}

bool listing_add(struct listing *l, const char *text, size_t length) {
    if (!listing_goes_on(l))
        return false;
    if (l->message->size + length + sizeof(uint16_t) > FLUSH_BYTES)
        flush(l, false);
    message_text(l->message, text, length, INSCOPE_PATH_MAX);
    l->count++;
    l->members++;
    l->bytes += length;
    return true;
}

void listing_end(struct listing *l) { flush(l, true); }
