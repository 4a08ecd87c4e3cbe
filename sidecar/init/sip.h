/* SipHash-1-3 (Aumasson and Bernstein, 2012) under one key of init: what the agent cannot make collide. */
#ifndef INSCOPE_SIP_H
#define INSCOPE_SIP_H

#include <stddef.h>
#include <stdint.h>

/* Set the key, before any thread hashes. */
void sip_key(const uint8_t key[16]);

uint64_t sip_words(const uint64_t *words, size_t count);

/* The same over bytes; the last word is filled up with zeros, and the length is hashed with them. */
uint64_t sip_bytes(const void *bytes, size_t size);

#endif
