#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_set.h"
#include "inventory.h"
#include "patterns.h"
#include "secret_watch.h"
#include "walk.h"

static bool readable(const char *path, bool is_link) {
    struct stat st;
    if (is_link && (stat(path, &st) < 0 || !S_ISREG(st.st_mode)))
        return false;
    return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0;
}

static bool visit(void *listing, const char *path, size_t length, bool is_link) {
    struct listing *l = listing;
    if (patterns_match(path, length, ACCESS_READ) && readable(path, is_link)) {
        struct file_identity file = file_identity_of(path);
        file_set_add(&secret_files, &file);
        secret_watch_add(path, &file);
        return listing_add(l, path, length);
    }
    return listing_goes_on(l);
}

/* Caches and checkouts hold many files and no secrets that are not elsewhere; "..2024_…" are the versions behind the
 * links of a Kubernetes volume. */
static bool skip(const char *name) {
    static const char *const names[] = {".cache", ".git",  "node_modules", "__pycache__",  ".venv",
                                        "venv",   ".cargo", ".rustup",      "site-packages", ".npm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.' && name[1] == '.';
}

void inventory_secrets(struct listing *l) {
    static struct folders seen;
    static char folder[PATH_TEXT];
    struct walk walk = {.seen = &seen, .skip = skip, .visit = visit, .context = l};
    const char *home = getenv("HOME");
    seen.count = 0;
    listing_begin(l, INSCOPE_SURVEY_SECRETS);
    walk_below(&walk, "/var/run/secrets", 4);
    walk_below(&walk, "/run/secrets", 4);
    walk_below(&walk, "/etc", 2);
    if (getcwd(folder, sizeof folder))
        walk_below(&walk, folder, 3);
    if (home && home[0] == '/')
        walk_below(&walk, home, 3);
    listing_end(l);
}
