#include "stance.h"

#include <stdatomic.h>

#include "recheck.h"

static _Atomic int now = INSCOPE_WATCHES;

enum inscope_stance stance(void) { return (enum inscope_stance)atomic_load(&now); }

bool stance_take(const struct inscope_mode *mode) {
    if (mode->stance < INSCOPE_WATCHES || mode->stance > INSCOPE_FREEZES)
        return false;
    if (!stance_enforces() && mode->stance != INSCOPE_WATCHES)
        recheck_begin();
    atomic_store(&now, (int)mode->stance);
    return true;
}
