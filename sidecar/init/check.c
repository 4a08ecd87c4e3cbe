#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "mechanisms.h"

static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > 126)
            printf("\\u%04x", (unsigned char)*text);
        else if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar(*text);
    putchar('"');
}

static void print_line(const char *name, bool works, const char *detail, const char *minimum, const char *lost) {
    printf("{\"mechanism\": ");
    print_string(name);
    printf(", \"works\": %s, \"detail\": ", works ? "true" : "false");
    print_string(detail);
    printf(", \"minimum_kernel\": ");
    print_string(minimum);
    printf(", \"lost_without\": ");
    print_string(lost);
    printf("}\n");
}

/* One line of a file of /proc or /sys; `missing` where there is none. */
static const char *read_line(const char *path, char *buffer, size_t size, const char *missing) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return missing;
    buffer[n] = 0;
    buffer[strcspn(buffer, "\n")] = 0;
    return buffer;
}

/* Yama 0: any process of the same user; 1: descendants only, which is enough; 2 and 3: administrators, or nobody. */
static void print_yama(void) {
    char text[64];
    const char *scope = read_line("/proc/sys/kernel/yama/ptrace_scope", text, sizeof text, "absent");
    bool works = strcmp(scope, "2") != 0 && strcmp(scope, "3") != 0;
    print_line("yama", works, scope, "3.4", "with scope 2 or 3: reading the agent's memory, and prevention of execs");
}

static const char *find_field(const char *text, const char *name, char *out, size_t size) {
    const char *line = strstr(text, name);
    size_t length = line ? strcspn(line + strlen(name), "\n") : 0;
    snprintf(out, size, "%.*s", (int)length, line ? line + strlen(name) : "");
    return *out ? out : "?";
}

/* 0 0 4294967295 is the machine's own: any other map is of a user namespace. */
static bool in_user_namespace(void) {
    char text[128];
    unsigned inside, outside, count;
    const char *map = read_line("/proc/self/uid_map", text, sizeof text, "");
    return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && (inside || outside || count != UINT32_MAX);
}

/* Who else has a say: what is refused above was mostly refused by one of these. */
static void print_confinement(void) {
    char label[256], status[4096] = "", filter[8], privileges[8], detail[512];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, status, sizeof status - 1);
    if (fd >= 0)
        close(fd);
    status[n < 0 ? 0 : n] = 0;
    snprintf(detail, sizeof detail, "label %s; seccomp mode %s; no_new_privs %s; %s user namespace; uid %u",
             read_line("/proc/self/attr/current", label, sizeof label, "none"),
             find_field(status, "\nSeccomp:\t", filter, sizeof filter),
             find_field(status, "\nNoNewPrivs:\t", privileges, sizeof privileges),
             in_user_namespace() ? "own" : "the machine's", (unsigned)getuid());
    print_line("confinement", true, detail, "", "");
}

static void print_configuration(void) {
    char text[512];
    struct utsname name;
    uname(&name);
    print_line("kernel", true, name.release, "5.5", "");
    print_line("machine", true, name.machine, "", "");
    print_yama();
    print_line("lsm", true, read_line("/sys/kernel/security/lsm", text, sizeof text, "unknown"), "",
               "AppArmor and SELinux profiles may forbid reading other processes");
    print_confinement();
    print_line("proc", access("/proc/self/stat", R_OK) == 0, "/proc", "",
               "who called, and every path that is relative or behind a descriptor");
}

int check_print(void) {
    int errors[MECHANISMS];
    mechanisms_try(errors);
    for (size_t i = 0; i < MECHANISMS; i++) {
        const struct mechanism *m = mechanism_at(i);
        print_line(m->name, errors[i] == 0, errors[i] ? strerror(errors[i]) : "works", m->minimum_kernel,
                   m->lost_without);
    }
    print_configuration();
    return errors[0] == 0 ? 0 : 1;
}
