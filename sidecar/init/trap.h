/* One notified call, held until answered: what the decoders share. The order in each is: copy out of the caller,
 * answer, and only then (if the answer was taken) finish and queue the record. */
#ifndef INSCOPE_TRAP_H
#define INSCOPE_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "kernel.h"
#include "message.h"
#include "process.h"

struct trap {
    const struct seccomp_notif *call;
    int listener;
    uint64_t now_ns;
    struct process who;
    bool answered;
    struct message *message; /* where the record is built; one for the whole thread */
};

/* Who called; read once, when a decoder needs it. */
void trap_identify(struct trap *t);

/* Whether the caller still waits, for what is recorded before the answer. */
bool trap_stands(struct trap *t);

/* Let the call go on. True: the caller was still waiting, so what was copied before is its own; a record is made only
 * then. */
bool trap_pass(struct trap *t);

/* Answer with an error; the same. */
bool trap_refuse(struct trap *t, int error);

/* Queue a record without strings. `flags` are enum inscope_flag. */
void trap_report(struct trap *t, enum inscope_kind kind, const void *body, size_t size, unsigned flags);

/* Put the flags on the message and count what is unreadable. */
void trap_flag(struct trap *t, unsigned flags);

/* Give the message the image's readable descriptor where one is due, fill in its body, and queue it. The message's body
 * is the image's file; its strings are appended already. */
void trap_queue_image(struct trap *t, struct image *image, unsigned flags);

#endif
