/* What the sidecar says: messages taken out of a packet. Pure, and suspicious. */
#ifndef INSCOPE_INCOMING_H
#define INSCOPE_INCOMING_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct incoming {
    enum inscope_kind kind;
    const uint8_t *body;
    size_t size; /* of body and tail */
};

enum incoming_outcome { INCOMING_MESSAGE, INCOMING_END, INCOMING_MALFORMED };

/* Take the next message off a packet, advancing *at and *left. */
enum incoming_outcome incoming_next(const uint8_t **at, size_t *left, struct incoming *out);

/* The body of a WELCOME; 0 when it is not one of this protocol. */
int incoming_welcome(const struct incoming *message, struct inscope_welcome *out);

/* Hand a PATTERNS on; 0 when it was refused. */
int incoming_patterns(const struct incoming *message);

/* Hand an ACTOR, or a KNOWN, on; 0 when it is malformed. */
int incoming_actor(const struct incoming *message);
int incoming_known(const struct incoming *message);

/* The body of a MODE, or take in a VERDICT; 0 when it is malformed. */
int incoming_mode(const struct incoming *message, struct inscope_mode *out);
int incoming_verdict(const struct incoming *message);

/* The reason in a REFUSED, made printable; cut to size. */
void incoming_reason(const struct incoming *message, char *out, size_t size);

#endif
