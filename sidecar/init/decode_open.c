/* Opens. Most match nothing: they are answered after one copy and only counted. Where it is enforced the file is found
 * first, judged by every name it has, and delivered: see enforced(). */
#define _GNU_SOURCE
#include "decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counters.h"
#include "deliver.h"
#include "lineage.h"
#include "locate.h"
#include "open_request.h"
#include "opened.h"
#include "openflags.h"
#include "recheck.h"
#include "secret_watch.h"
#include "sip.h"
#include "stance.h"
#include "survey.h"

static enum inscope_level level_of(const struct open_levels *levels, uint64_t flags) {
    return flags & OPEN_WRITE_FLAGS ? levels->writes : levels->reads;
}

static bool writes(const struct open_request *o) { return o->flags & OPEN_WRITE_FLAGS; }

/* Of what was written, the file itself matters: it may be run one day. `real` is empty unless another name was judged. */
static bool is_known(struct trap *t, const struct open_request *o, const char *real) {
    uint64_t facts[] = {o->flags, sip_bytes(o->absolute, o->absolute_length), *real ? sip_bytes(real, strlen(real)) : 0};
    bool whole = o->outcome == TEXT_WHOLE && o->absolute_length > 0;
    return whole && !writes(o) && trap_is_known(t, INSCOPE_OPEN, facts, 3);
}

static struct inscope_open body_of(const struct trap *t, const struct open_request *o) {
    return (struct inscope_open){.nr = t->call->data.nr, .open_flags = (uint32_t)o->flags};
}

/* What a file is really called, where that is not what it was asked for by. */
static const char *other_name(const struct open_request *o, const char *real, size_t length) {
    bool same = length == o->absolute_length && memcmp(real, o->absolute, length) == 0;
    return same || real[0] != '/' ? "" : real;
}

static void watched(struct trap *t, const struct open_request *o) {
    static char real[PATH_TEXT];
    trap_recognise(t);
    if (is_known(t, o, "")) {
        trap_decide(t, true, NULL, 0);
        return;
    }
    lineage_introduce(t);
    struct image image = image_of(locate((pid_t)t->call->pid, o->folder, o->path), t->call->data.nr);
    struct inscope_open body = body_of(t, o);
    size_t length = image.path_fd < 0 ? 0 : locate_own_link(image.path_fd, real);
    real[length] = 0;
    image_close(&image);
    body.device = image.file.device;
    body.inode = image.file.inode;
    if (trap_pass(t))
        open_request_report(t, o, &body, other_name(o, real, length), 0);
}

static void watch(struct trap *t, const struct open_request *o, enum inscope_level level) {
    if (o->outcome == TEXT_UNREADABLE)
        count(&counters.unreadable);
    else if (level == INSCOPE_ALL || open_request_matches(o)) {
        watched(t, o);
        return;
    }
    count(&counters.opens);
    trap_pass(t);
}

static struct plan plan_of(const struct trap *t, const struct open_request *o, const struct opened *found, bool secret) {
    struct plan plan = trap_plan(t);
    plan.of.open.flags = (uint32_t)o->flags;
    plan.of.open.secret = secret;
    plan.who.tid = (pid_t)t->call->pid; /* not always recognised */
    plan.fd = found->fd < 0 ? -1 : found->fd;
    plan.carry_out = opened_is_deliverable(found) ? deliver : deliver_by_kernel;
    return plan;
}

static void watch_secret(const struct opened *found) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", found->fd);
    file_set_add(&secret_files, &found->file);
    secret_watch_add(link, &found->file);
}

/* Another of its names may be a secret's, of which the list is not whole in the first moments of a run. */
static bool is_listed(const struct opened *found) {
    if (S_ISREG(found->mode) && found->links > 1)
        survey_wait_for_secrets();
    return file_set_has(&secret_files, &found->file);
}

/* Which of its names speak against an open. */
enum names { NONE, GIVEN = 1, REAL = 2, HIDDEN = 4 };

static unsigned names_of(const struct open_request *o, const struct opened *found, const char *other) {
    unsigned names = open_request_matches(o) ? GIVEN : NONE;
    enum access_kind access = open_request_access(o);
    if (*other && patterns_match(found->real, found->length, access))
        names |= REAL;
    if (found->fd >= 0 && names && access == ACCESS_READ)
        watch_secret(found);
    if (found->fd >= 0 && !names && is_listed(found))
        names |= HIDDEN;
    return names;
}

static void refuse_quietly(struct trap *t, const struct opened *found, int error) {
    trap_refuse(t, error);
    if (found->fd >= 0)
        close(found->fd);
}

/* Ask, or know the answer. */
static void ask(struct trap *t, const struct open_request *o, const struct opened *found, const char *other,
                unsigned names) {
    if (!recheck_now((pid_t)t->call->pid)) {
        refuse_quietly(t, found, EACCES);
        return;
    }
    struct inscope_open body = body_of(t, o);
    body.device = found->file.device;
    body.inode = found->file.inode;
    trap_recognise(t);
    struct plan plan = plan_of(t, o, found, true);
    if (!(names & HIDDEN) && is_known(t, o, other)) {
        trap_decide(t, true, &plan, 0);
        return;
    }
    lineage_introduce(t);
    if (trap_decide(t, false, &plan, 1))
        open_request_report(t, o, &body, *other || !(names & HIDDEN) ? other : found->real,
                            names & HIDDEN ? INSCOPE_MISMATCH : 0);
}

static void refuse_loudly(struct trap *t, const struct open_request *o, const struct opened *found, int error) {
    struct inscope_open body = body_of(t, o);
    body.device = found->file.device;
    body.inode = found->file.inode;
    trap_identify(t);
    if (trap_refuse(t, error))
        open_request_report(t, o, &body, other_name(o, found->real, found->length), 0);
    if (found->fd >= 0)
        close(found->fd);
}

static void judge(struct trap *t, const struct open_request *o, const struct opened *found) {
    int fails = opened_fails(found, o->flags);
    const char *other = found->fd < 0 ? "" : other_name(o, found->real, found->length);
    if (fails) {
        refuse_quietly(t, found, fails);
        return;
    }
    if (writes(o) && (opened_is_memory(found) || opened_is_guards(found))) {
        refuse_loudly(t, o, found, EACCES);
        return;
    }
    if (writes(o) && found->fd >= 0 && file_set_has(&code_files, &found->file)) {
        refuse_loudly(t, o, found, ETXTBSY);
        return;
    }
    unsigned names = names_of(o, found, other);
    if (names) {
        ask(t, o, found, other, names);
        return;
    }
    count(&counters.opens);
    struct plan plan = plan_of(t, o, found, false);
    trap_decide(t, true, &plan, 0);
}

/* A number in /proc may be the caller's own. */
static struct process caller_of(struct trap *t, const char *path) {
    if (strncmp(path, "/proc/", 6) == 0)
        trap_recognise(t);
    if (t->who.tid)
        return t->who;
    return (struct process){.pid = (pid_t)t->call->pid, .tid = (pid_t)t->call->pid};
}

/* No pointer is read twice: what was found by the copied path is what is judged, and what the caller gets. What init
 * cannot open in the caller's place (a device, a FIFO, /proc, a file that is not there yet) is left to the kernel, which
 * reads the path again: contained. */
static void enforced(struct trap *t, const struct open_request *o) {
    static struct opened found;
    if (o->outcome != TEXT_WHOLE) {
        count(&counters.unreadable);
        trap_refuse(t, o->outcome == TEXT_CUT ? ENAMETOOLONG : EFAULT);
        return;
    }
    struct process who = caller_of(t, o->path);
    struct lookup lookup = {o->folder, o->path, o->flags};
    opened_find(&who, &lookup, &found);
    judge(t, o, &found);
}

static void decode(struct trap *t, const struct open_levels *levels, uint64_t path, struct open_request *o) {
    enum inscope_level level = level_of(levels, o->flags);
    bool enforces = stance_enforces();
    if (level == INSCOPE_OFF || (enforces && (o->flags & O_PATH))) { /* O_PATH gives nothing away */
        count(&counters.opens);
        trap_decide(t, true, NULL, 0);
        return;
    }
    if (enforces && level == INSCOPE_WATCHED && !patterns_known()) { /* what is a secret is not known yet */
        trap_refuse(t, EACCES);
        return;
    }
    open_request_read(t, path, o);
    if (enforces)
        enforced(t, o);
    else
        watch(t, o, level);
}

static struct open_request request;

void decode_open(struct trap *t, const struct open_levels *levels, int folder, uint64_t path, uint64_t flags) {
    request.folder = folder;
    request.flags = (uint32_t)flags;
    decode(t, levels, path, &request);
}

/* Its flags are in memory, where they may be others when the kernel looks: who is told that there is no such call takes
 * openat. Else only the first word of the structure is needed. */
void decode_openat2(struct trap *t, const struct open_levels *levels) {
    const struct seccomp_data *call = &t->call->data;
    uint64_t flags = 0;
    if (stance_enforces()) {
        trap_refuse(t, ENOSYS);
        return;
    }
    if (memory_copy((pid_t)t->call->pid, call->args[2], &flags, sizeof flags) != sizeof flags)
        flags = O_RDWR;
    decode_open(t, levels, (int)call->args[0], call->args[1], flags);
}
