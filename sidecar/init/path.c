#include "path.h"

#include <stdio.h>
#include <string.h>

bool path_is_plain(const char *path) {
    if (path[0] != '/')
        return false;
    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        const char *part = slash + 1;
        if (part[0] == '/' || (part[0] == 0 && slash != path))
            return false;
        if (part[0] == '.' && (part[1] == '/' || part[1] == 0))
            return false;
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == 0))
            return false;
    }
    return true;
}

static size_t without_last(const char *out, size_t length) {
    while (length > 0 && out[length - 1] != '/')
        length--;
    return length > 0 ? length - 1 : 0;
}

static size_t append_parts(char *out, size_t length, const char *text) {
    while (*text) {
        size_t part = strcspn(text, "/");
        if (part == 2 && text[0] == '.' && text[1] == '.')
            length = without_last(out, length);
        else if (part > 0 && !(part == 1 && text[0] == '.') && length + part + 2 < PATH_JOINED) {
            out[length++] = '/';
            memcpy(out + length, text, part);
            length += part;
        }
        text += part;
        text += *text == '/';
    }
    return length;
}

size_t path_absolute(const char *folder, const char *name, char out[PATH_JOINED]) {
    size_t length = 0;
    if (name[0] != '/')
        length = append_parts(out, length, folder);
    length = append_parts(out, length, name);
    if (length == 0)
        out[length++] = '/';
    out[length] = 0;
    return length;
}
