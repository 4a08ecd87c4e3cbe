/* The seccomp filter, generated from syscalls.def when the agent starts, and the table that decoders are found by. */
#ifndef INSCOPE_FILTER_H
#define INSCOPE_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

enum { FILTER_INSTRUCTIONS_MAX = 512, FILTER_MPTCP = 262 };

enum filter_kind {
    FILTER_ALWAYS,
    FILTER_MASK,
    FILTER_NONZERO,
    FILTER_OPENFLAGS,
    FILTER_SOCKET,
    FILTER_PRCTL,
    FILTER_PERSONALITY,
    FILTER_SIGNAL,
    FILTER_SIGIO
};

enum decoder {
    DECODE_NONE,
    DECODE_EXEC,
    DECODE_EXECAT,
    DECODE_MAP,
    DECODE_PROTECT,
    DECODE_CODE,
    DECODE_CONNECT,
    DECODE_SENDTO,
    DECODE_BIND,
    DECODE_LISTEN,
    DECODE_SOCKET,
    DECODE_FASTOPEN,
    DECODE_OPEN,
    DECODE_CREAT,
    DECODE_OPENAT,
    DECODE_OPENAT2,
    DECODE_CALL,
    DECODE_AIMED,
    DECODE_REACH,
    DECODE_CLONE3,
    DECODE_DENY
};

struct trap_rule {
    int nr; /* -1: not a call of this machine */
    const char *name;
    enum filter_kind filter;
    int a;
    unsigned b;
    enum decoder decoder;
};

/* Every row of syscalls.def, in its order. */
extern const struct trap_rule trap_rules[];
extern const size_t trap_rule_count;

/* How much is notified of what may be left out. */
struct filter_levels {
    enum inscope_level reads, writes;
    bool sockets; /* every socket(): init is going to make them */
};

/* Write the program for these levels; gives the number of instructions, 0 (which the kernel refuses) when the table has
 * outgrown it. */
size_t filter_build(struct sock_filter out[FILTER_INSTRUCTIONS_MAX], struct filter_levels levels);

/* The decoder of a native call number; DECODE_NONE for one that is not in the table. */
enum decoder decoder_of(int nr);

#endif
