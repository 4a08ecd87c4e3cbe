/* What init says of itself when it connects. */
#ifndef INSCOPE_HELLO_H
#define INSCOPE_HELLO_H

#include "message.h"
#include "options.h"

struct hello {
    const struct options *options;
    uint32_t mechanisms;
    int agent;
    uint8_t secret[INSCOPE_SECRET_BYTES];
};

struct hello hello_of(const struct options *options, uint32_t mechanisms);

/* Write the HELLO; the clocks are read now. */
void hello_write(struct message *m, const struct hello *hello);

#endif
