#define _GNU_SOURCE
#include "gate_tell.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "locate.h"
#include "trap.h"

static struct message message;

static struct trap record_of(const struct plan *exec, uint64_t ask, uint64_t key) {
    return (struct trap){.now_ns = boottime_ns(), .who = exec->who, .key = key, .ask = ask, .message = &message};
}

static void tell(struct trap *t, enum inscope_kind kind, const struct inscope_file *file, int fd, unsigned flags) {
    char path[PATH_TEXT];
    trap_begin(t, kind);
    message_body(t->message, file, sizeof *file);
    message_text(t->message, path, fd < 0 ? 0 : locate_own_link(fd, path), INSCOPE_PATH_MAX);
    trap_flag(t, flags | (fd < 0 ? INSCOPE_UNREADABLE : 0));
    if (fd >= 0)
        message_attach(t->message, fd);
    trap_push(t);
}

void gate_tell_image(const struct plan *exec, uint64_t ask, unsigned flags) {
    struct trap t = record_of(exec, ask, 0);
    struct stat st;
    int fd = gate_sight_open(exec->who.pid);
    struct inscope_file file = {0};
    if (fd >= 0 && fstat(fd, &st) == 0) {
        file = image_file(&st);
        file.writable = image_writable(fd, file.owner);
    }
    file.nr = exec->nr;
    tell(&t, INSCOPE_IMAGE, &file, fd, flags);
}

void gate_tell_loader(const struct plan *exec, uint64_t ask, uint64_t key, int path_fd,
                      const struct inscope_file *file) {
    struct trap t = record_of(exec, ask, key);
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    int fd = path_fd < 0 ? -1 : open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct inscope_file body = *file;
    body.nr = exec->nr;
    tell(&t, INSCOPE_LOAD, &body, fd, 0);
}
