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

/* The key of the known exec that nobody was told of, by which the process became what it is; 0: none. It may be one of
 * an earlier connection. */
uint64_t actors_exec_key(const struct process *who, uint64_t now_ns);

/* The process tries an exec that is told, or runs something else than was told: what it runs from now on the sidecar
 * must say. */
void actors_changed(const struct process *who, uint64_t now_ns);

/* Whether this file is the image that the process runs. */
bool actors_run(const struct process *who, const struct inscope_file *file);

/* A known exec. `same_file`: actors_run, before it was let go on. */
struct known_exec {
    uint64_t actor, key;
    const struct inscope_file *file;
    bool same_file;
};

/* The process (read just before) tries it: if that happens, it runs `actor`; if not, what it ran. */
void actors_exec_known(const struct process *who, uint64_t now_ns, struct known_exec exec);

/* Take in an ACTOR. Any thread. */
void actors_learn(const struct inscope_actor *actor);

/* The sidecar that gave the numbers is gone. Any thread. */
void actors_forget(void);

#endif
