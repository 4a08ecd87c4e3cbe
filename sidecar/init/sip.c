#include "sip.h"

#include <string.h>

static uint64_t key0, key1;

void sip_key(const uint8_t key[16]) {
    memcpy(&key0, key, 8);
    memcpy(&key1, key + 8, 8);
}

static uint64_t turn(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = turn(v[1], 13) ^ v[0], v[0] = turn(v[0], 32);
    v[2] += v[3], v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turn(v[1], 17) ^ v[2], v[2] = turn(v[2], 32);
}

static void begin(uint64_t v[4]) {
    v[0] = key0 ^ 0x736f6d6570736575u;
    v[1] = key1 ^ 0x646f72616e646f6du;
    v[2] = key0 ^ 0x6c7967656e657261u;
    v[3] = key1 ^ 0x7465646279746573u;
}

static void take(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t end(uint64_t v[4]) {
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t sip_words(const uint64_t *words, size_t count) {
    uint64_t v[4];
    begin(v);
    for (size_t i = 0; i < count; i++)
        take(v, words[i]);
    return end(v);
}

uint64_t sip_bytes(const void *bytes, size_t size) {
    uint64_t v[4];
    begin(v);
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, (const char *)bytes + at, size - at < sizeof word ? size - at : sizeof word);
        take(v, word);
    }
    take(v, size);
    return end(v);
}
