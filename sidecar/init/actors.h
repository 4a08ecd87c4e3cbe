/* What processes run, as numbers that the sidecar gave out: one number for processes whose acts are judged alike. A
 * process that was forked has its parent's. One thread looks up and execs; the sender brings numbers in. */
#ifndef INSCOPE_ACTORS_H
#define INSCOPE_ACTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"
#include "wire.h"

/* The number of the program that the process runs; 0: not known (yet), so nothing it does can be. */
uint64_t actors_of(const struct process *who, uint64_t now_ns);

/* The key of the known exec that nobody was told of, by which the process became what it is; 0: none. */
uint64_t actors_exec_key(const struct process *who);

/* The process tries an exec that is told: what it runs from now on the sidecar must say. */
void actors_exec_told(const struct process *who, uint64_t now_ns);

/* The process tries a known exec of `file`: if that happens, it runs `actor`. */
void actors_exec_known(const struct process *who, uint64_t now_ns, uint64_t actor, uint64_t key,
                       const struct inscope_file *file);

/* It did not happen: the process runs what it ran. */
void actors_exec_failed(const struct process *who);

/* Take in an ACTOR. Any thread. */
void actors_learn(const struct inscope_actor *actor);

/* The sidecar that gave the numbers is gone. Any thread. */
void actors_forget(void);

#endif
