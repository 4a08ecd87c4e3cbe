/* Waiting for a number in memory to change; works between processes that share the memory, without libc state. */
#ifndef INSCOPE_FUTEX_H
#define INSCOPE_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleep while *word is `value`, at most `ms` milliseconds (negative: for ever); may return early. */
static inline void futex_wait(_Atomic int *word, int value, long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    syscall(SYS_futex, word, FUTEX_WAIT, value, ms < 0 ? NULL : &t, NULL, 0);
}

static inline void futex_wake(_Atomic int *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0); }

#endif
