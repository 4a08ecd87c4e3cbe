#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter.h"
#include "inventory.h"

enum { TEXT_MAX = 8192, CAPABILITY_BIND = 10, LAST_PORT = 65535 };

static void add(struct listing *l, const char *text) { listing_add(l, text, strlen(text)); }

static size_t read_text(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    n = n < 0 ? 0 : n;
    out[n] = 0;
    return (size_t)n;
}

/* An interface whose state cannot be asked counts as up: reach is not to be understated. */
static bool leads_out(int fd, const char *name) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (strcmp(name, "lo") == 0)
        return false;
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return true;
    return (request.ifr_flags & IFF_UP) && !(request.ifr_flags & IFF_LOOPBACK);
}

/* /proc/net/dev: two lines of titles, then NAME: and figures. */
static bool any_leads_out(char *text, int fd) {
    bool found = false;
    for (char *line = strtok(text, "\n"); line && !found; line = strtok(NULL, "\n")) {
        char *name = line + strspn(line, " "), *colon = strchr(name, ':');
        if (!colon || strchr(name, '|'))
            continue;
        *colon = 0;
        found = leads_out(fd, name);
    }
    return found;
}

static void egress(struct listing *l) {
    char text[TEXT_MAX];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool known = read_text("/proc/self/net/dev", text, sizeof text) > 0;
    listing_begin(l, INSCOPE_SURVEY_EGRESS);
    add(l, !known || any_leads_out(text, fd) ? "unrestricted" : "loopback");
    listing_end(l);
    if (fd >= 0)
        close(fd);
}

static bool may_bind_low(void) {
    char text[TEXT_MAX];
    read_text("/proc/self/status", text, sizeof text);
    const char *line = strstr(text, "\nCapEff:");
    return line && (strtoull(line + 8, NULL, 16) >> CAPABILITY_BIND & 1);
}

static void ports(struct listing *l) {
    char text[TEXT_MAX], range[32];
    long low = 1024;
    if (read_text("/proc/sys/net/ipv4/ip_unprivileged_port_start", text, sizeof text))
        low = strtol(text, NULL, 10);
    if (low < 1 || may_bind_low())
        low = 1;
    snprintf(range, sizeof range, "%ld-%d", low, LAST_PORT);
    listing_begin(l, INSCOPE_SURVEY_PORTS);
    add(l, range);
    listing_end(l);
}

static bool is_reach(enum decoder decoder) { return decoder == DECODE_CALL || decoder == DECODE_REACH; }

/* Calls are not tried: some of them would do what they say. */
static void syscalls(struct listing *l) {
    listing_begin(l, INSCOPE_SURVEY_SYSCALLS);
    for (size_t i = 0; i < trap_rule_count; i++)
        if (trap_rules[i].nr >= 0 && is_reach(trap_rules[i].decoder))
            add(l, trap_rules[i].name);
    listing_end(l);
}

void inventory_reach(struct listing *l) {
    egress(l);
    ports(l);
    syscalls(l);
}
