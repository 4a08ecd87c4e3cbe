/* One notified call, held until answered: what the decoders share. The order in each is: copy out of the caller,
 * answer, and only then (if the answer was taken) finish and queue the record. */
#ifndef INSCOPE_TRAP_H
#define INSCOPE_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "kernel.h"
#include "message.h"
#include "plan.h"
#include "process.h"

struct trap {
    const struct seccomp_notif *call;
    int listener;
    uint64_t now_ns;
    struct process who;
    uint64_t actor; /* the number of what the caller runs; 0: not known */
    uint64_t key;   /* of the act; 0: it cannot be known */
    uint64_t ask;   /* the caller is held for a verdict on this; 0: not */
    bool answered;
    bool enforced;  /* carried out, or held, as planned */
    bool denied;    /* answered with an error of ours */
    struct message *message; /* where the record is built; one for the whole thread */
};

/* Who called; read once, when a decoder needs it. The caller's ancestors are introduced, for a record of it follows. */
void trap_identify(struct trap *t);

/* The same before it is clear that there will be a record: introduces nobody. */
void trap_recognise(struct trap *t);

enum { FILE_FACTS = 5, TRAP_FACTS_MAX = 8 };

/* The key of an act of this kind by who was recognised, `facts` being what makes it this one; 0: it can have none. */
uint64_t trap_key(const struct trap *t, enum inscope_kind kind, const uint64_t *facts, size_t count);

/* Whether the act with that key is known, and so only counted. To be asked before the answer; when it is false, a record
 * follows, and the caller is to be introduced (lineage.h). */
bool trap_is_known(struct trap *t, enum inscope_kind kind, const uint64_t *facts, size_t count);

/* The facts by which a file is the same. */
void trap_file_facts(const struct inscope_file *file, uint64_t out[FILE_FACTS]);

/* Begin the record of this act. */
void trap_begin(struct trap *t, enum inscope_kind kind);

/* Whether the caller still waits, for what is recorded before the answer. */
bool trap_stands(struct trap *t);

/* Let the call go on. True: the caller was still waiting, so what was copied before is its own; a record is made only
 * then. */
bool trap_pass(struct trap *t);

/* Answer as the stance demands: where init only watches, the call goes on. Where it enforces, a known act is carried out
 * as planned, another is held until its `verdicts` (one for each record that is going to be made) are there. The plan
 * (NULL: the kernel may go on) is taken over. True: a record is to be made. */
bool trap_decide(struct trap *t, bool known, struct plan *plan, unsigned verdicts);

/* The plan to let the kernel go on with this call. */
struct plan trap_plan(const struct trap *t);

/* Queue the record that is built; it asks, if its caller is held. */
bool trap_push(struct trap *t);

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
