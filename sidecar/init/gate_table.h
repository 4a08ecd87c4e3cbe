/* The execs that the gate stands before: each from the moment it may happen until what runs was looked at. Bounded; any
 * thread adds one or decides on one, the gate's thread does all else. */
#ifndef INSCOPE_GATE_TABLE_H
#define INSCOPE_GATE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

enum { GATED_MAX = 256 };

enum gated_state {
    GATED_FREE,
    GATED_WAITING, /* held in its call */
    GATED_LET_GO,  /* traced, and in its exec */
    GATED_LEAVING, /* asked to stop: the exec failed, or takes long */
    GATED_ASKING   /* stopped before its first instruction, until the sidecar says whether it may go on */
};

enum gated_verdict { VERDICT_NONE, VERDICT_ALLOWED, VERDICT_REFUSED };

struct gated {
    enum gated_state state;
    enum gated_verdict verdict;
    struct plan plan;  /* of the exec; who.tid is the traced thread */
    bool traced;       /* WAITING: since an exec before, which failed */
    uint64_t ask;      /* ASKING: on what */
    struct inscope_file loader; /* ASKING: the ELF interpreter that is asked for too; inode 0: none */
    uint64_t since_ns; /* of the state */
    uint64_t order;    /* who came first */
};

/* Take over the plan. False: there is no room. */
bool gate_table_add(const struct plan *plan, uint64_t now_ns);

/* Note what was decided; false: nobody waits for it. */
bool gate_table_decide(uint64_t ask, enum gated_verdict verdict);

/* Each that is not free, in no order; NULL: no more. Begin with NULL. */
struct gated *gate_table_next(const struct gated *after);

/* The traced thread's; NULL: it is not known here. */
struct gated *gate_table_find(pid_t tid);

void gate_table_become(struct gated *g, enum gated_state state, uint64_t now_ns);

/* What was decided on it so far. */
enum gated_verdict gate_table_verdict(const struct gated *g);

/* Over: closes what its plan holds. */
void gate_table_remove(struct gated *g);

#endif
