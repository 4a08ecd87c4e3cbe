/* What a file is, and whether its descriptor was handed to the sidecar a moment ago. One thread calls this. */
#ifndef INSCOPE_IMAGE_H
#define INSCOPE_IMAGE_H

#include <stdbool.h>

#include "wire.h"

enum { IMAGE_AGAIN_MS = 1000 };

struct image {
    int path_fd;                /* O_PATH; -1: none */
    struct inscope_file file;
    bool regular;
    bool interpreted;           /* readable and not ELF: a script, or a format that a handler is registered for */
};

/* Describe what an O_PATH descriptor (taken over; may be a negative errno) refers to. */
struct image image_of(int path_fd, int nr);

/* A readable descriptor of it to hand over; -1 where it was handed over less than IMAGE_AGAIN_MS ago, cannot be read
 * (*unreadable), or `wanted` is false. Fills in file.writable and interpreted in any case. */
int image_open(struct image *image, bool wanted, uint64_t now_ns, bool *unreadable);

/* The message with the descriptor was dropped: pass it with the next one. */
void image_not_passed(const struct image *image);

void image_close(struct image *image);

/* Forget what was handed over: another sidecar connected. Any thread. */
void image_forget_all(void);

#endif
