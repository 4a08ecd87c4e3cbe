#define _GNU_SOURCE
#include "python_folders.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folders.h"

enum { FOUND_MAX = 32 };

struct search {
    void (*visit)(void *context, const char *folder);
    void *context;
};

static void visit_all(const struct search *s, const char *pattern) {
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc && i < FOUND_MAX; i++)
        s->visit(s->context, found.gl_pathv[i]);
    globfree(&found);
}

/* A prefix with characters that glob would expand finds nothing, or a neighbour: no harm either way. */
static void below(const struct search *s, const char *prefix) {
    static const char *const kinds[] = {"lib/python*/site-packages", "lib/python*/dist-packages",
                                        "lib64/python*/site-packages"};
    char pattern[PATH_TEXT + 64];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(pattern, sizeof pattern, "%s/%s", prefix, kinds[i]);
        visit_all(s, pattern);
    }
}

static void beside(void *search, const char *folder) {
    char prefix[PATH_TEXT + 8];
    snprintf(prefix, sizeof prefix, "%s/..", folder);
    below(search, prefix);
}

static void beside_command(struct search *s, const char *command) {
    char folder[PATH_TEXT];
    const char *slash = strrchr(command, '/');
    if (!slash || (size_t)(slash - command) >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - command), command);
    beside(s, folder);
}

void python_folders_each(const struct options *options, void (*visit)(void *context, const char *folder),
                         void *context) {
    struct search s = {visit, context};
    const char *environment = getenv("VIRTUAL_ENV");
    if (environment)
        below(&s, environment);
    beside_command(&s, options->command[0]);
    folders_each(getenv("PATH"), beside, &s);
}
