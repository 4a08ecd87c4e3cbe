/* The decoders, one for each name in the last column of syscalls.def. Each answers its call exactly once. */
#ifndef INSCOPE_DECODE_H
#define INSCOPE_DECODE_H

#include "trap.h"

/* Which opens are looked at, and how; fixed when the agent starts. */
struct open_levels {
    enum inscope_level reads, writes;
};

void decode_exec(struct trap *t, int folder, uint64_t path, uint64_t argv);

void decode_map(struct trap *t);
void decode_protect(struct trap *t);
void decode_code(struct trap *t);

void decode_address(struct trap *t, enum inscope_kind kind, int descriptor, uint64_t address, uint64_t length);
void decode_listen(struct trap *t);
void decode_socket(struct trap *t);
void decode_fast_open(struct trap *t);

void decode_open(struct trap *t, const struct open_levels *levels, int folder, uint64_t path, uint64_t flags);
void decode_openat2(struct trap *t, const struct open_levels *levels);

void decode_call(struct trap *t);
void decode_deny(struct trap *t);

/* Calls that reach other processes: what is aimed at the guard is refused where init enforces, and told in any case.
 * What is not is none of our business (aimed), or is recorded as any other (reach). */
void decode_aimed(struct trap *t);
void decode_reach(struct trap *t);

/* clone3 keeps its flags in memory, which is read where init watches. Where it enforces, the call is said not to exist:
 * C libraries then use clone, whose flags the filter sees. */
void decode_clone3(struct trap *t);

/* Answer with this error and record the call; `flags` are enum inscope_flag. */
void call_refuse(struct trap *t, int error, unsigned flags);

/* Record the call with its arguments as they are. */
void call_tell(struct trap *t, unsigned flags);

/* A call through an ABI that is not the machine's own. */
void decode_foreign(struct trap *t);

#endif
