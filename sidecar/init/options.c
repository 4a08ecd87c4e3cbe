#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "usage: inscope-init [OPTION…] [--] COMMAND [ARGUMENT…]\n"
    "       inscope-init --check | --version | --help\n"
    "\n"
    "Runs COMMAND under observation: same terminal, signals, environment, descriptors and exit status as without.\n"
    "\n"
    "  --socket PATH                where the sidecar listens; without it nothing is reported\n"
    "  --reads off|watched|all      which opens for reading are recorded (default watched)\n"
    "  --writes off|watched|all     which opens for writing are recorded (default watched)\n"
    "  --wait-ms N                  how long to wait for the sidecar before COMMAND starts (default 3000)\n"
    "  --drain-ms N                 how long to wait for the sidecar after COMMAND ended (default 3000)\n"
    "  --front                      stay in the shell's job and let a separate process supervise\n"
    "  --enforce                    refuse what is not known until the sidecar says otherwise\n"
    "  --twins                      make the agent's sockets, as is done where pidfd_getfd is refused\n"
    "  --check                      what works on this kernel, one JSON object a line\n"
    "\n"
    "Exit status: COMMAND's own (128+N when signal N ended it; with --front the same signal), 127 when it is not\n"
    "found, 126 when it cannot be executed, 125 when inscope-init itself failed.\n"
    "\n"
    "example: inscope-init --socket /run/inscope/init.sock -- python3 agent.py\n";

static bool level(const char *text, enum inscope_level *out) {
    static const char *const names[] = {"off", "watched", "all"};
    for (int i = INSCOPE_OFF; text && i <= INSCOPE_ALL; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum inscope_level)i;
            return true;
        }
    return false;
}

static bool milliseconds(const char *text, long *out) {
    char *end;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && *end == 0 && *out <= 3600000;
}

static bool text_value(const char *text, const char **out) {
    *out = text;
    return text && *text;
}

/* An option that takes a value; false when it is not known or the value is wrong. */
static bool with_value(struct options *o, const char *name, const char *value) {
    if (strcmp(name, "--socket") == 0)
        return text_value(value, &o->socket);
    if (strcmp(name, "--reads") == 0)
        return level(value, &o->reads);
    if (strcmp(name, "--writes") == 0)
        return level(value, &o->writes);
    if (strcmp(name, "--wait-ms") == 0)
        return milliseconds(value, &o->wait_ms);
    if (strcmp(name, "--drain-ms") == 0)
        return milliseconds(value, &o->drain_ms);
    return false;
}

static bool alone(struct options *o, const char *name) {
    static const struct {
        const char *name;
        enum action action;
    } actions[] = {{"--check", ACTION_CHECK}, {"--version", ACTION_VERSION}, {"--help", ACTION_HELP}};
    if (strcmp(name, "--front") == 0)
        return o->front = true;
    if (strcmp(name, "--enforce") == 0)
        return o->enforce = true;
    if (strcmp(name, "--twins") == 0)
        return o->twins = true;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(name, actions[i].name) == 0) {
            o->action = actions[i].action;
            return true;
        }
    return false;
}

static struct options misused(struct options o, const char *what, const char *argument) {
    fprintf(stderr, "inscope-init: %s%s%s\n", what, argument, "; try --help");
    o.action = ACTION_MISUSED;
    return o;
}

struct options options_parse(int argc, char **argv) {
    struct options o = {.reads = INSCOPE_WATCHED, .writes = INSCOPE_WATCHED, .wait_ms = 3000, .drain_ms = 3000};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (alone(&o, argv[i]))
            continue;
        if (!with_value(&o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return misused(o, "unknown option, or a value that it cannot take: ", argv[i]);
        i++;
    }
    o.command = argv + i;
    if (o.action == ACTION_RUN && i >= argc)
        return misused(o, "no command", "");
    return o;
}
