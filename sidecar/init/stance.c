#include "stance.h"

#include <stdatomic.h>

#include "recheck.h"
#include "secret_watch.h"

static _Atomic int now = INSCOPE_WATCHES;

enum inscope_stance stance(void) { return (enum inscope_stance)atomic_load(&now); }

static void begin(void) {
    recheck_begin();
    secret_watch_begin();
}

bool stance_take(const struct inscope_mode *mode) {
    if (mode->stance < INSCOPE_WATCHES || mode->stance > INSCOPE_FREEZES)
        return false;
    if (!stance_enforces() && mode->stance != INSCOPE_WATCHES)
        begin();
    atomic_store(&now, (int)mode->stance);
    return true;
}
