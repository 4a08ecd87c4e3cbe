#define _GNU_SOURCE
#include "loader.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folders.h"

enum { CONFIGURATION_MAX = 16384, INCLUDE_DEPTH_MAX = 4, INCLUDED_MAX = 64 };

static const char *const usual[] = {"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"};
static const char *const musl_paths[] = {"/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path"};

struct search {
    loader_visit *visit;
    void *context;
    int depth;
};

static void read_configuration(struct search *s, const char *path);

/* One line, trimmed, without its comment; the buffer is the caller's to change. */
static void parse_line(char *line, loader_visit *visit, loader_visit *include, void *context) {
    line[strcspn(line, "#")] = 0;
    line += strspn(line, " \t");
    for (size_t end = strlen(line); end > 0 && strchr(" \t\r,", line[end - 1]); end--)
        line[end - 1] = 0;
    if (strncmp(line, "include", 7) == 0 && (line[7] == ' ' || line[7] == '\t'))
        include(context, line + 7 + strspn(line + 7, " \t"));
    else if (line[0] == '/')
        visit(context, line);
}

void loader_parse(const char *text, loader_visit *visit, loader_visit *include, void *context) {
    char line[PATH_TEXT];
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length < sizeof line) {
            memcpy(line, text, length);
            line[length] = 0;
            parse_line(line, visit, include, context);
        }
        text += length;
        text += *text == '\n';
    }
}

static void on_folder(void *search, const char *folder) {
    struct search *s = search;
    s->visit(s->context, folder);
}

static void on_include(void *search, const char *pattern) {
    struct search *s = search;
    glob_t found;
    if (s->depth >= INCLUDE_DEPTH_MAX || pattern[0] != '/' || glob(pattern, 0, NULL, &found) != 0)
        return;
    s->depth++;
    for (size_t i = 0; i < found.gl_pathc && i < INCLUDED_MAX; i++)
        read_configuration(s, found.gl_pathv[i]);
    s->depth--;
    globfree(&found);
}

static char *read_text(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *text = fd < 0 ? NULL : malloc(CONFIGURATION_MAX);
    ssize_t n = text ? read(fd, text, CONFIGURATION_MAX - 1) : 0;
    if (text)
        text[n < 0 ? 0 : n] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

static void read_configuration(struct search *s, const char *path) {
    char *text = read_text(path);
    if (text)
        loader_parse(text, on_folder, on_include, s);
    free(text);
}

static void read_musl_path(struct search *s, const char *path) {
    char *text = read_text(path);
    for (char *c = text; c && *c; c++)
        if (*c == '\n')
            *c = ':';
    if (text)
        folders_each(text, s->visit, s->context);
    free(text);
}

void loader_each_folder(loader_visit *visit, void *context) {
    struct search s = {.visit = visit, .context = context};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        visit(context, usual[i]);
    read_configuration(&s, "/etc/ld.so.conf");
    for (size_t i = 0; i < sizeof musl_paths / sizeof *musl_paths; i++)
        read_musl_path(&s, musl_paths[i]);
}
