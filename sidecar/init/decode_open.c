/* Opens. Most match nothing: they are answered after one copy and only counted. */
#include "decode.h"

#include <fcntl.h>
#include <string.h>

#include "counters.h"
#include "lineage.h"
#include "locate.h"
#include "memory.h"
#include "openflags.h"
#include "patterns.h"
#include "queue.h"
#include "sip.h"

struct opened {
    int folder;
    uint64_t flags;
    enum text_outcome outcome;
    size_t length, absolute_length;
    char path[PATH_TEXT];
    char absolute[PATH_JOINED];
};

static enum inscope_level level_of(const struct open_levels *levels, uint64_t flags) {
    return flags & OPEN_WRITE_FLAGS ? levels->writes : levels->reads;
}

static void make_absolute(struct trap *t, struct opened *o) {
    if (path_is_plain(o->path)) {
        memcpy(o->absolute, o->path, o->length + 1);
        o->absolute_length = o->length;
        return;
    }
    o->absolute_length = locate_absolute((pid_t)t->call->pid, o->folder, o->path, o->absolute);
}

/* A relative path whose folder is unreadable is matched as it stands. */
static bool interesting(const struct opened *o, enum inscope_level level) {
    enum access_kind access = o->flags & OPEN_WRITE_FLAGS ? ACCESS_WRITE : ACCESS_READ;
    if (level == INSCOPE_ALL)
        return true;
    if (o->absolute_length)
        return patterns_match(o->absolute, o->absolute_length, access);
    return patterns_match(o->path, o->length, access);
}

static void report(struct trap *t, const struct opened *o, const struct inscope_file *file) {
    struct inscope_open body = {.nr = t->call->data.nr,
                                .open_flags = (uint32_t)o->flags,
                                .device = file->device,
                                .inode = file->inode};
    bool absolute = o->absolute_length > 0;
    trap_begin(t, INSCOPE_OPEN);
    message_body(t->message, &body, sizeof body);
    message_text(t->message, absolute ? o->absolute : o->path, absolute ? o->absolute_length : o->length,
                 INSCOPE_PATH_MAX);
    trap_flag(t, (o->outcome == TEXT_CUT ? INSCOPE_TRUNCATED : 0) |
                     (o->outcome == TEXT_UNREADABLE || !absolute ? INSCOPE_UNREADABLE : 0));
    trap_push(t);
}

/* Of what was written, the file itself matters: it may be run one day. */
static bool is_known(struct trap *t, const struct opened *o) {
    uint64_t facts[] = {o->flags, sip_bytes(o->absolute, o->absolute_length)};
    bool whole = o->outcome == TEXT_WHOLE && o->absolute_length > 0;
    return whole && !(o->flags & OPEN_WRITE_FLAGS) && trap_is_known(t, INSCOPE_OPEN, facts, 2);
}

static struct plan open_plan(const struct trap *t, const struct opened *o) {
    struct plan plan = trap_plan(t);
    plan.of.open.flags = (uint32_t)o->flags;
    return plan;
}

static void record(struct trap *t, const struct opened *o) {
    trap_recognise(t);
    struct plan plan = open_plan(t, o);
    if (is_known(t, o)) {
        trap_decide(t, true, &plan, 0);
        return;
    }
    lineage_introduce(t);
    struct image image = image_of(locate((pid_t)t->call->pid, o->folder, o->path), t->call->data.nr);
    image_close(&image);
    if (trap_decide(t, false, &plan, 1))
        report(t, o, &image.file);
}

void decode_open(struct trap *t, const struct open_levels *levels, int folder, uint64_t path, uint64_t flags) {
    static struct opened o;
    enum inscope_level level = level_of(levels, flags);
    if (level != INSCOPE_OFF) {
        o.folder = folder;
        o.flags = flags;
        o.outcome = memory_text((pid_t)t->call->pid, path, o.path, sizeof o.path, &o.length);
        make_absolute(t, &o);
        if (o.outcome == TEXT_UNREADABLE)
            count(&counters.unreadable);
        else if (interesting(&o, level)) {
            record(t, &o);
            return;
        }
    }
    count(&counters.opens);
    trap_decide(t, true, NULL, 0);
}

/* Only the first word of the structure is needed: the flags. */
void decode_openat2(struct trap *t, const struct open_levels *levels) {
    const struct seccomp_data *call = &t->call->data;
    uint64_t flags = 0;
    if (memory_copy((pid_t)t->call->pid, call->args[2], &flags, sizeof flags) != sizeof flags)
        flags = O_RDWR;
    decode_open(t, levels, (int)call->args[0], call->args[1], flags);
}
