#define _GNU_SOURCE
#include "privilege.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NET_BIND_SERVICE = 10, PORTS_RESERVED = 1024, TEXT_MAX = 4096 };

static bool text_of(const char *path, char text[TEXT_MAX]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = 0;
    return n > 0;
}

static long first_free_port(void) {
    char text[TEXT_MAX];
    return text_of("/proc/sys/net/ipv4/ip_unprivileged_port_start", text) ? strtol(text, NULL, 10) : PORTS_RESERVED;
}

static bool has(pid_t tid, int capability) {
    char path[32], text[TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    const char *line = text_of(path, text) ? strstr(text, "\nCapEff:\t") : NULL;
    return line && strtoull(line + strlen("\nCapEff:\t"), NULL, 16) >> capability & 1;
}

bool privilege_binds(pid_t tid, uint16_t port) {
    return port == 0 || port >= PORTS_RESERVED || port >= first_free_port() || has(tid, NET_BIND_SERVICE);
}
