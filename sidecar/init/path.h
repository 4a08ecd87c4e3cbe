/* Path text: joined and folded. Pure. */
#ifndef INSCOPE_PATH_H
#define INSCOPE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Longest path text kept: a folder and a name relative to it, each up to the kernel's PATH_MAX. */
enum { PATH_TEXT = 4096, PATH_JOINED = 2 * PATH_TEXT + 2 };

/* Join `folder` and `name` (which wins alone when absolute) and fold "//", "/./" and "/../" by text. Gives the length;
 * `out` has PATH_JOINED bytes. The folding of ".." ignores symbolic links: it serves matching and naming, never access. */
size_t path_absolute(const char *folder, const char *name, char out[PATH_JOINED]);

/* Whether folding would change it. */
bool path_is_plain(const char *path);

#endif
