/* One message being written: head, body, tail strings, all bounded. */
#ifndef INSCOPE_MESSAGE_H
#define INSCOPE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "process.h"
#include "wire.h"

/* The largest message is an EXEC: a path, a folder and argv, each at its bound, and the lengths of the strings. */
enum { MESSAGE_MAX = 2 * (INSCOPE_PATH_MAX + 2) + INSCOPE_ARGV_MAX + 2 * INSCOPE_ARGV_ITEMS_MAX + 512 };

struct message {
    size_t size;
    int fd; /* handed over with the message; -1: none */
    uint8_t bytes[MESSAGE_MAX];
};

void message_begin(struct message *m, enum inscope_kind kind, const struct process *who, uint64_t time_ns);
void message_body(struct message *m, const void *body, size_t size);

/* Overwrite the body that was appended right after the head, once its contents are known. */
void message_set_body(struct message *m, const void *body, size_t size);

/* Say what the act is to `known`. */
void message_key(struct message *m, uint64_t key);

/* Say that the caller is held, until a verdict on this; 0: it is not. */
void message_ask(struct message *m, uint64_t ask);
uint64_t message_asks(const struct message *m);

/* Append a string, cut (and flagged TRUNCATED) at `most` bytes. */
void message_text(struct message *m, const char *text, size_t length, size_t most);

void message_flag(struct message *m, enum inscope_flag flag);

/* Give the message a descriptor; the message owns it from here. */
void message_attach(struct message *m, int fd);

/* It goes without the descriptor that it had; that is the caller's. */
void message_detach(struct message *m);

/* Fill in the size and the losses before it. */
void message_seal(struct message *m, uint64_t lost);

#endif
