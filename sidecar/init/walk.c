#define _GNU_SOURCE
#include "walk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* File systems that do not say what an entry is are asked. */
static unsigned char type_of(DIR *folder, const struct dirent *entry) {
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : S_ISLNK(st.st_mode) ? DT_LNK : DT_UNKNOWN;
}

static bool list(const struct walk *w, DIR *folder, char *path, size_t length, int depth);

/* Whatever becomes of the name meanwhile: only a folder is entered, and never a link. */
static bool descend(const struct walk *w, DIR *parent, const char *name, char *path, size_t length, int depth) {
    int fd = openat(dirfd(parent), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder && fd >= 0)
        close(fd);
    return !folder || list(w, folder, path, length, depth);
}

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* `path` is the folder's, and becomes the entry's. */
static bool look_at(const struct walk *w, DIR *folder, const struct dirent *e, char *path, size_t length, int depth) {
    size_t size = strlen(e->d_name);
    unsigned char type = type_of(folder, e);
    if (is_dots(e->d_name) || length + size + 2 > PATH_TEXT)
        return true;
    path[length] = '/';
    memcpy(path + length + 1, e->d_name, size + 1);
    length += size + 1;
    if (type == DT_REG || type == DT_LNK)
        return w->visit(w->context, path, length, type == DT_LNK);
    if (type == DT_DIR && depth > 0 && !(w->skip && w->skip(e->d_name)))
        return descend(w, folder, e->d_name, path, length, depth - 1);
    return true;
}

static bool list(const struct walk *w, DIR *folder, char *path, size_t length, int depth) {
    bool goes_on = true;
    for (struct dirent *e; goes_on && (e = readdir(folder));)
        goes_on = look_at(w, folder, e, path, length, depth);
    closedir(folder);
    return goes_on;
}

void walk_below(const struct walk *w, const char *root, int depth) {
    char path[PATH_TEXT], canonical[PATH_TEXT];
    DIR *folder = folders_open(w->seen, root, canonical);
    const char *base = w->canonical ? canonical : root;
    size_t length = strlen(base);
    if (!folder)
        return;
    if (length >= sizeof path)
        length = 0;
    memcpy(path, base, length);
    while (length > 0 && path[length - 1] == '/')
        length--;
    list(w, folder, path, length, depth);
}
