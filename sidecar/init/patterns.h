/* The watch list that the sidecar hands over: which absolute paths are worth a record. */
#ifndef INSCOPE_PATTERNS_H
#define INSCOPE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERNS_MAX = 2048, PATTERN_TEXT_MAX = 65536 };

enum access_kind { ACCESS_READ, ACCESS_WRITE };

/* Replace the whole list by `count` strings, each a uint16_t length and that many bytes of which the first is an
 * enum inscope_match. A list that is malformed or too large is refused whole, and the last good one stays. */
bool patterns_replace(const uint8_t *tail, size_t size, uint32_t count);

/* Whether a path matches. Safe against a replacement by another thread. */
bool patterns_match(const char *path, size_t length, enum access_kind access);

/* Whether any list was ever accepted. */
bool patterns_known(void);

#endif
