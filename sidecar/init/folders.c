#define _GNU_SOURCE
#include "folders.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "locate.h"

static bool first_time(struct folders *f, const struct stat *st) {
    for (size_t i = 0; i < f->count; i++)
        if (f->seen[i].device == st->st_dev && f->seen[i].inode == st->st_ino)
            return false;
    if (f->count == FOLDERS_MAX)
        return false;
    f->seen[f->count].device = st->st_dev;
    f->seen[f->count++].inode = st->st_ino;
    return true;
}

DIR *folders_open(struct folders *f, const char *path, char canonical[PATH_TEXT]) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && first_time(f, &st) && locate_own_link(fd, canonical))
        folder = fdopendir(fd);
    if (!folder && fd >= 0)
        close(fd);
    return folder;
}

void folders_each(const char *list, void (*visit)(void *context, const char *path), void *context) {
    char path[PATH_TEXT];
    while (list && *list) {
        size_t length = strcspn(list, ":;");
        if (length > 0 && length < sizeof path) {
            memcpy(path, list, length);
            path[length] = 0;
            visit(context, path);
        }
        list += length;
        list += *list != 0;
    }
}
