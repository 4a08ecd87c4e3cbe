#define _GNU_SOURCE
#include "patterns.h"

#include <pthread.h>
#include <string.h>

#include "wire.h"

struct pattern {
    uint16_t offset, length; /* of the text, without the byte that says how it matches */
    uint8_t match;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    uint32_t count;
    bool known;
    struct pattern list[PATTERNS_MAX];
    char text[PATTERN_TEXT_MAX];
} kept;

static bool is_match(uint8_t byte) {
    return byte == INSCOPE_PREFIX || byte == INSCOPE_SUFFIX || byte == INSCOPE_NAME || byte == INSCOPE_INFIX ||
           byte == INSCOPE_WRITE;
}

static bool well_formed(const uint8_t *tail, size_t size, uint32_t count) {
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t length;
        if (size - at < sizeof length)
            return false;
        memcpy(&length, tail + at, sizeof length);
        at += sizeof length;
        if (length < 2 || size - at < length || !is_match(tail[at]))
            return false;
        at += length;
    }
    return at == size;
}

bool patterns_replace(const uint8_t *tail, size_t size, uint32_t count) {
    if (count > PATTERNS_MAX || size > PATTERN_TEXT_MAX || !well_formed(tail, size, count))
        return false;
    pthread_mutex_lock(&lock);
    if (size)
        memcpy(kept.text, tail, size);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t length;
        memcpy(&length, tail + at, sizeof length);
        at += sizeof length;
        kept.list[i] = (struct pattern){(uint16_t)(at + 1), (uint16_t)(length - 1), tail[at]};
        at += length;
    }
    kept.count = count;
    kept.known = true;
    pthread_mutex_unlock(&lock);
    return true;
}

bool patterns_known(void) {
    pthread_mutex_lock(&lock);
    bool known = kept.known;
    pthread_mutex_unlock(&lock);
    return known;
}

static bool ends_with(const char *path, size_t length, const char *text, size_t size) {
    return size <= length && path[length - 1] == text[size - 1] && memcmp(path + length - size, text, size) == 0;
}

/* Many patterns are looked for in each path, most from a slash on: the first two bytes rule out nearly every place. */
static bool contains(const char *path, size_t length, const char *text, size_t size) {
    for (size_t at = 0; at + size <= length; at++)
        if (path[at] == text[0] && (size == 1 || path[at + 1] == text[1]) && memcmp(path + at, text, size) == 0)
            return true;
    return false;
}

static bool matches(const struct pattern *p, const char *path, size_t length, enum access_kind access) {
    const char *text = kept.text + p->offset;
    switch (p->match) {
    case INSCOPE_PREFIX: return p->length <= length && memcmp(path, text, p->length) == 0;
    case INSCOPE_SUFFIX: return ends_with(path, length, text, p->length);
    case INSCOPE_NAME:
        return ends_with(path, length, text, p->length) &&
               (length == p->length || path[length - p->length - 1] == '/');
    case INSCOPE_INFIX: return contains(path, length, text, p->length);
    case INSCOPE_WRITE: return access == ACCESS_WRITE && ends_with(path, length, text, p->length);
    default: return false;
    }
}

bool patterns_match(const char *path, size_t length, enum access_kind access) {
    bool found = false;
    if (length == 0)
        return false;
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < kept.count && !found; i++)
        found = matches(&kept.list[i], path, length, access);
    pthread_mutex_unlock(&lock);
    return found;
}
