/* What a file is, and whether its descriptor was handed to the sidecar a moment ago. One thread calls this. */
#ifndef INSCOPE_IMAGE_H
#define INSCOPE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "wire.h"

enum { IMAGE_AGAIN_MS = 1000, IMAGE_NAME_MAX = 192 };

struct image {
    int path_fd;                /* O_PATH; -1: none */
    struct inscope_file file;
    bool regular;
    bool interpreted;           /* readable and not ELF: a script, or a format that a handler is registered for */
};

/* The image of a file that was handed over less than IMAGE_AGAIN_MS ago and is unchanged: nothing needs to be opened.
 * `name`, if wanted, gets what it was called then, which may be empty; valid until the next call. */
bool image_recent(const struct stat *st, int nr, uint64_t now_ns, struct image *out, const char **name);

/* Keep a name for image_recent; longer ones are not kept. */
void image_named(const struct image *image, const char *name, size_t length);

/* The facts of a file; the call is not filled in. */
struct inscope_file image_file(const struct stat *st);

/* Describe what an O_PATH descriptor (taken over; may be a negative errno) refers to. */
struct image image_of(int path_fd, int nr);

/* A readable descriptor of it to hand over; -1 where it was handed over less than IMAGE_AGAIN_MS ago, cannot be read
 * (*unreadable), or `wanted` is false. Fills in file.writable and interpreted in any case. */
int image_open(struct image *image, bool wanted, uint64_t now_ns, bool *unreadable);

/* Whether the agent could write the file behind this descriptor (O_PATH will do), or make it so. Any thread. */
bool image_writable(int fd, uint32_t owner);

/* The message with the descriptor was dropped: pass it with the next one. */
void image_not_passed(const struct image *image);

void image_close(struct image *image);

/* Forget what was handed over: another sidecar connected. Any thread. */
void image_forget_all(void);

#endif
