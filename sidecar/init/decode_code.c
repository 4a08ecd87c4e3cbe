/* Memory that becomes executable: a file's (LOAD, with its descriptor) or nobody's (CODE_MEMORY). */
#include "decode.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "code_plan.h"
#include "counters.h"
#include "lineage.h"
#include "locate.h"
#include "mapping.h"
#include "seen.h"
#include "stance.h"

enum { MAPPINGS_LOOKED_AT = PLAN_FILES_MAX };

/* Code that is made at run time is made again and again: once for each process and call. */
static void report_memory(struct trap *t) {
    const struct seccomp_data *call = &t->call->data;
    struct act act = {.kind = INSCOPE_CODE_MEMORY, .nr = (uint32_t)call->nr};
    if (!t->ask && seen_before(&t->who, &act)) {
        count(&counters.repeats);
        return;
    }
    struct inscope_call body = {.nr = call->nr, .arch = call->arch};
    for (int i = 0; i < 6; i++)
        body.args[i] = call->args[i];
    trap_report(t, INSCOPE_CODE_MEMORY, &body, sizeof body, 0);
}

static bool repeats(struct trap *t, const struct inscope_file *file) {
    struct act act = {file->device, file->inode, file->size, file->mtime_ns, file->ctime_ns, INSCOPE_LOAD, 0};
    if (t->ask || !seen_before(&t->who, &act))
        return false;
    count(&counters.repeats);
    return true;
}

static void report_load(struct trap *t, struct image *image, const char *path, size_t length, unsigned flags) {
    trap_begin(t, INSCOPE_LOAD);
    message_body(t->message, &image->file, sizeof image->file);
    message_text(t->message, path, length, INSCOPE_PATH_MAX);
    trap_queue_image(t, image, flags);
}

/* The name is read from init's own descriptor, so it belongs to the file that is passed. */
static void report_file(struct trap *t, int path_fd) {
    static char path[PATH_TEXT];
    struct image image = image_of(path_fd, t->call->data.nr);
    if (!image.regular)
        report_memory(t); /* /dev/zero and its like */
    else if (!repeats(t, &image.file)) {
        size_t length = locate_own_link(path_fd, path);
        report_load(t, &image, path, length, 0);
        image_named(&image, path, length);
    }
    image_close(&image);
}

/* A descriptor that is not there makes the call fail by itself; one that init may not see is a loss. */
static void report_missing(struct trap *t, int error) {
    if (error == -ENOENT)
        return;
    struct image none = image_of(error, t->call->data.nr);
    report_load(t, &none, "", 0, INSCOPE_UNREADABLE);
}

static void decide_memory(struct trap *t) {
    trap_recognise(t);
    if (trap_is_known(t, INSCOPE_CODE_MEMORY, NULL, 0)) {
        trap_decide(t, true, NULL, 0);
        return;
    }
    lineage_introduce(t);
    if (trap_decide(t, false, NULL, 1))
        report_memory(t);
}

static void map_again(struct trap *t, struct image *image, const char *path) {
    struct plan plan = code_plan(t, &image->file, -1);
    if (trap_decide(t, false, &plan, 1) && !repeats(t, &image->file))
        report_load(t, image, path, strlen(path), 0);
}

/* What is there a moment later was not judged. */
static void map_nothing(struct trap *t, int error) {
    bool stands = stance_enforces() ? trap_refuse(t, error == -ENOENT ? EBADF : EACCES) : trap_pass(t);
    if (stands)
        report_missing(t, error);
}

static void map_file(struct trap *t, int fd) {
    if (fd < 0) {
        map_nothing(t, fd);
        return;
    }
    struct image image = image_of(dup(fd), t->call->data.nr);
    struct plan plan = code_plan(t, &image.file, stance_enforces() && image.regular ? fd : -1);
    bool refused = stance_enforces() && image.regular && code_is_being_written(fd) && trap_refuse(t, ETXTBSY);
    image_close(&image);
    if (refused)
        plan_drop(&plan);
    bool stands = refused || trap_decide(t, false, &plan, 1);
    if (stands)
        report_file(t, fd);
    else if (fd >= 0)
        close(fd);
}

static bool is_known(struct trap *t, const struct stat *st) {
    uint64_t facts[FILE_FACTS];
    struct inscope_file file = image_file(st);
    trap_file_facts(&file, facts);
    return trap_is_known(t, INSCOPE_LOAD, facts, FILE_FACTS);
}

void decode_map(struct trap *t) {
    const struct seccomp_data *call = &t->call->data;
    pid_t tid = (pid_t)t->call->pid;
    int descriptor = (int)call->args[4];
    struct stat st;
    struct image image;
    const char *path;
    if (call->args[3] & MAP_ANONYMOUS) {
        decide_memory(t);
        return;
    }
    bool seen = locate_descriptor_stat(tid, descriptor, &st);
    trap_recognise(t);
    if (seen && S_ISREG(st.st_mode) && is_known(t, &st)) {
        struct inscope_file file = image_file(&st);
        struct plan plan = code_plan(t, &file, -1);
        trap_decide(t, true, &plan, 0);
        return;
    }
    lineage_introduce(t);
    if (seen && image_recent(&st, call->nr, t->now_ns, &image, &path) && path[0])
        map_again(t, &image, path);
    else
        map_file(t, locate_descriptor(tid, descriptor));
}

/* A mapping whose file cannot be reached any more: its name and inode are all there is. */
static void report_name(struct trap *t, const struct mapping *mapping, int error) {
    struct image image = image_of(error, t->call->data.nr);
    image.file.inode = mapping->inode;
    if (!repeats(t, &image.file))
        report_load(t, &image, mapping->path, strlen(mapping->path), INSCOPE_UNREADABLE);
}

/* A file that cannot be reached is not judged, and so refused. */
static struct plan protect_plan(struct trap *t, const int *fds, int found) {
    struct inscope_file none = {0};
    struct plan plan = code_plan(t, &none, -1);
    for (int i = 0; i < found && stance_enforces(); i++) {
        if (fds[i] >= 0 && code_is_being_written(fds[i]))
            trap_refuse(t, ETXTBSY);
        else if (fds[i] >= 0)
            code_plan_add(&plan, fds[i]);
    }
    return plan;
}

/* What the range holds is looked up while the caller is held: afterwards it may be another mapping. */
void decode_protect(struct trap *t) {
    static struct mapping mappings[MAPPINGS_LOOKED_AT];
    int fds[MAPPINGS_LOOKED_AT], found = 0;
    bool memory = false;
    pid_t tid = (pid_t)t->call->pid;
    uint64_t at = t->call->data.args[0], end = at + t->call->data.args[1];
    while (found < MAPPINGS_LOOKED_AT && at < end && mapping_at(tid, at, &mappings[found]) &&
           mappings[found].start < end) {
        at = mappings[found].end;
        if (mappings[found].inode) {
            fds[found] = mapping_open(tid, &mappings[found]);
            found++;
        } else
            memory = true;
    }
    if (found == 0 && memory) {
        decide_memory(t);
        return;
    }
    trap_identify(t);
    if (found == MAPPINGS_LOOKED_AT && at < end && stance_enforces()) /* more than can be judged */
        trap_refuse(t, EACCES);
    struct plan plan = protect_plan(t, fds, found);
    bool stands = trap_decide(t, found == 0, &plan, (unsigned)found + memory) || t->denied;
    for (int i = 0; i < found; i++)
        if (!stands && fds[i] >= 0)
            close(fds[i]);
        else if (stands && fds[i] >= 0)
            report_file(t, fds[i]);
        else if (stands)
            report_name(t, &mappings[i], fds[i]);
    if (stands && memory)
        report_memory(t);
}

void decode_code(struct trap *t) { decide_memory(t); }
