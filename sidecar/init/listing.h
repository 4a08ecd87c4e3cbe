/* A SURVEY being written: members of one kind after the other, within bounds. The survey's thread alone. */
#ifndef INSCOPE_LISTING_H
#define INSCOPE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

enum { LISTING_MEMBERS_MAX = 50000, LISTING_BYTES_MAX = 4 << 20, LISTING_KIND_MS = 2000 };

struct listing {
    struct message *message;
    enum inscope_survey_kind kind;
    size_t members, bytes; /* in all kinds so far */
    uint16_t count;        /* in the message being filled */
    uint64_t deadline_ns;  /* for this kind */
    bool complete;
};

void listing_begin(struct listing *l, enum inscope_survey_kind kind);

/* False: a bound is hit, stop looking. */
bool listing_add(struct listing *l, const char *text, size_t length);

/* Whether there is time and room for more; marks the kind incomplete when not. To be asked while looking. */
bool listing_goes_on(struct listing *l);

/* Send what is left, marked as the last. */
void listing_end(struct listing *l);

#endif
