/* How a call that may happen is made to happen, with what was copied out of the caller for it. */
#ifndef INSCOPE_PLAN_H
#define INSCOPE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "payload.h"
#include "file_set.h"
#include "process.h"
#include "wire.h"

enum { PLAN_FILES_MAX = 8 };

struct plan {
    uint64_t id; /* of the notification */
    struct process who;
    int nr;
    /* Does it and answers the caller. It must not block, and takes over `fd` and `payload`. NULL: let the kernel do it. */
    void (*carry_out)(struct plan *plan);
    /* Does otherwise, where more is to be done than to answer the caller with the error. NULL: only that. */
    void (*refuse)(struct plan *plan, int error);
    int fd; /* -1: none */
    int looks[PLAN_FILES_MAX]; /* O_PATH descriptors of what is looked at once more; -1: could not be had */
    uint32_t looks_count;
    struct payload *payload; /* NULL: none */
    union {
        struct {
            uint32_t count;
            struct file_identity files[PLAN_FILES_MAX];
        } code; /* the mapped files that were judged */
        struct {
            struct inscope_file file; /* the image that was judged */
            uint64_t name;            /* sip_bytes of what the kernel calls it (AT_EXECFN) */
            uint64_t actor;           /* the number of the program that it is; 0: not known yet */
            bool interpreted;         /* not ELF: something else is going to run */
        } exec;
        struct {
            uint64_t inode;
            int number; /* of a send: its flags; of a listen: its backlog */
            uint16_t domain, type, port;
            bool own; /* of a connect: judged as one to a listener of the agent's */
            uint32_t length;
            uint8_t address[128];
        } socket; /* `fd` is init's own descriptor of it */
        struct {
            int domain, type, protocol;
        } make;
        struct {
            uint32_t flags;
            bool secret; /* an open of it is watched for */
        } open;
    } of;
};

/* A plan to let the kernel go on. */
struct plan plan_continue(uint64_t id, const struct process *who, int nr);

/* Do it; the caller is answered. Any thread. */
void plan_carry_out(struct plan *plan);

/* Answer the caller with this error instead, and close what the plan holds. */
void plan_refuse(struct plan *plan, int error);

/* It was decided elsewhere: close what the plan holds. NULL: nothing to do. */
void plan_drop(struct plan *plan);

/* Answer the caller: with a result, or with an error as a negative number. False: it was not waiting any more. */
bool plan_answer(const struct plan *plan, int64_t result);
bool plan_let_go_on(const struct plan *plan);

#endif
