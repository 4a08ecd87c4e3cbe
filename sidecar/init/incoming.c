#include "incoming.h"

#include <string.h>

#include "actors.h"
#include "known.h"
#include "patterns.h"
#include "pending.h"

enum incoming_outcome incoming_next(const uint8_t **at, size_t *left, struct incoming *out) {
    struct inscope_head head;
    if (*left == 0)
        return INCOMING_END;
    if (*left < sizeof head)
        return INCOMING_MALFORMED;
    memcpy(&head, *at, sizeof head);
    if (head.size < sizeof head || head.size > *left)
        return INCOMING_MALFORMED;
    *out = (struct incoming){(enum inscope_kind)head.kind, *at + sizeof head, head.size - sizeof head};
    *at += head.size;
    *left -= head.size;
    return INCOMING_MESSAGE;
}

int incoming_welcome(const struct incoming *message, struct inscope_welcome *out) {
    if (message->kind != INSCOPE_WELCOME || message->size < sizeof *out)
        return 0;
    memcpy(out, message->body, sizeof *out);
    return out->magic == INSCOPE_MAGIC && out->version == INSCOPE_PROTOCOL_VERSION;
}

int incoming_patterns(const struct incoming *message) {
    struct inscope_patterns body;
    if (message->size < sizeof body)
        return 0;
    memcpy(&body, message->body, sizeof body);
    return patterns_replace(message->body + sizeof body, message->size - sizeof body, body.count);
}

int incoming_actor(const struct incoming *message) {
    struct inscope_actor body;
    if (message->size != sizeof body)
        return 0;
    memcpy(&body, message->body, sizeof body);
    if (body.pid <= 0 || body.actor == 0)
        return 0;
    actors_learn(&body);
    return 1;
}

int incoming_known(const struct incoming *message) {
    struct inscope_known body;
    if (message->size < sizeof body)
        return 0;
    memcpy(&body, message->body, sizeof body);
    return known_learn(&body, message->body + sizeof body, message->size - sizeof body);
}

int incoming_mode(const struct incoming *message, struct inscope_mode *out) {
    if (message->size < sizeof *out)
        return 0;
    memcpy(out, message->body, sizeof *out);
    return out->stance >= INSCOPE_WATCHES && out->stance <= INSCOPE_FREEZES;
}

int incoming_verdict(const struct incoming *message) {
    struct inscope_verdict body;
    if (message->size < sizeof body)
        return 0;
    memcpy(&body, message->body, sizeof body);
    pending_decide(&body);
    return 1;
}

void incoming_reason(const struct incoming *message, char *out, size_t size) {
    uint16_t length = 0;
    size_t used = 0;
    if (message->size >= sizeof length)
        memcpy(&length, message->body, sizeof length);
    if (length > message->size - (message->size >= sizeof length ? sizeof length : message->size))
        length = 0;
    for (; used < length && used + 1 < size; used++) {
        uint8_t c = message->body[sizeof length + used];
        out[used] = c >= ' ' && c < 127 ? (char)c : '?';
    }
    out[used] = 0;
}
