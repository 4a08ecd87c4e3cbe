/* The command line. */
#ifndef INSCOPE_OPTIONS_H
#define INSCOPE_OPTIONS_H

#include <stdbool.h>

#include "wire.h"

enum action { ACTION_RUN, ACTION_CHECK, ACTION_VERSION, ACTION_HELP, ACTION_MISUSED };

struct options {
    enum action action;
    const char *socket; /* NULL: nobody to report to */
    enum inscope_level reads, writes;
    long wait_ms;  /* for the sidecar's welcome and patterns, before the agent starts */
    long drain_ms; /* for the sidecar to close after BYE */
    bool front;
    bool enforce; /* before any sidecar said so */
    bool twins; /* as where pidfd_getfd is refused */
    char **command;
};

/* Misuse is explained on stderr. */
struct options options_parse(int argc, char **argv);

extern const char options_help[];

#endif
