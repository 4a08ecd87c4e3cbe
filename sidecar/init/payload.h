/* What a held send is going to send: copied once out of the caller, bounded for each and for all. */
#ifndef INSCOPE_PAYLOAD_H
#define INSCOPE_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PAYLOAD_MAX = 64 * 1024, PAYLOADS_BYTES_MAX = 512 * 1024 };

struct payload {
    size_t size;
    uint8_t bytes[];
};

/* Copy `size` bytes, at most PAYLOAD_MAX, of the caller's; NULL and errno: EFAULT where they cannot be read, ENOBUFS where
 * too much is held already. */
struct payload *payload_copy(pid_t tid, uint64_t address, uint64_t size);

/* NULL: nothing to do. */
void payload_drop(struct payload *payload);

#endif
