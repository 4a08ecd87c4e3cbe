/* Copies out of the memory of a held caller. Each byte is read once; what is decided on is the copy. */
#ifndef INSCOPE_MEMORY_H
#define INSCOPE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copy up to `size` bytes at `address`, across pages; gives how many could be read (0: none), from the start. */
size_t memory_copy(pid_t tid, uint64_t address, void *out, size_t size);

enum text_outcome { TEXT_WHOLE, TEXT_CUT, TEXT_UNREADABLE };

/* Copy the NUL-terminated string at `address` into out[size], always terminated. CUT: it is longer than size - 1 bytes.
 * UNREADABLE: it runs into memory that cannot be read; `out` holds what came before. */
enum text_outcome memory_text(pid_t tid, uint64_t address, char *out, size_t size, size_t *length);

#endif
