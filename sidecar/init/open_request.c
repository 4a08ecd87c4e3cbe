#include "open_request.h"

#include <string.h>

#include "locate.h"
#include "openflags.h"

static void make_absolute(const struct trap *t, struct open_request *o) {
    if (path_is_plain(o->path)) {
        memcpy(o->absolute, o->path, o->length + 1);
        o->absolute_length = o->length;
        return;
    }
    o->absolute_length = locate_absolute((pid_t)t->call->pid, o->folder, o->path, o->absolute);
}

void open_request_read(const struct trap *t, uint64_t path, struct open_request *out) {
    out->outcome = memory_text((pid_t)t->call->pid, path, out->path, sizeof out->path, &out->length);
    make_absolute(t, out);
}

enum access_kind open_request_access(const struct open_request *o) {
    return o->flags & OPEN_WRITE_FLAGS ? ACCESS_WRITE : ACCESS_READ;
}

/* A relative path whose folder is unreadable is matched as it stands. */
bool open_request_matches(const struct open_request *o) {
    if (o->absolute_length)
        return patterns_match(o->absolute, o->absolute_length, open_request_access(o));
    return patterns_match(o->path, o->length, open_request_access(o));
}

void open_request_report(struct trap *t, const struct open_request *o, const struct inscope_open *body, const char *real,
                         unsigned flags) {
    bool absolute = o->absolute_length > 0;
    trap_begin(t, INSCOPE_OPEN);
    message_body(t->message, body, sizeof *body);
    message_text(t->message, absolute ? o->absolute : o->path, absolute ? o->absolute_length : o->length,
                 INSCOPE_PATH_MAX);
    if (*real)
        message_text(t->message, real, strlen(real), INSCOPE_PATH_MAX);
    trap_flag(t, flags | (o->outcome == TEXT_CUT ? INSCOPE_TRUNCATED : 0) |
                     (o->outcome == TEXT_UNREADABLE || !absolute ? INSCOPE_UNREADABLE : 0));
    trap_push(t);
}
