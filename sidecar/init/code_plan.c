#define _GNU_SOURCE
#include "code_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "locate.h"
#include "recheck.h"

/* Who holds a memory file can write it, unless that was given up for good. */
static bool is_open_memory(int fd) {
    char name[PATH_TEXT];
    locate_own_link(fd, name);
    return strncmp(name, "/memfd:", 7) == 0 && !(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE);
}

/* A lease for reading is refused as long as there is a writer. It is given back at once. */
bool code_is_being_written(int path_fd) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    int fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return true;
    bool written = (fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN) || is_open_memory(fd);
    fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return written;
}

/* From the moment the files are in the set they are not opened for writing any more. Who did so before is found now. A
 * file that finds no room in it could not be told from alien code later: it is refused. */
static void go_on(struct plan *plan) {
    for (uint32_t i = 0; i < plan->of.code.count; i++)
        if (!file_set_add(&code_files, &plan->of.code.files[i])) {
            plan_refuse(plan, EAGAIN);
            return;
        }
    for (uint32_t i = 0; i < plan->looks_count; i++)
        if (plan->looks[i] < 0 || code_is_being_written(plan->looks[i])) {
            plan_refuse(plan, ETXTBSY);
            return;
        }
    plan_drop(plan);
    if (recheck_soon(plan->who.pid))
        plan_let_go_on(plan);
    else
        plan_refuse(plan, EAGAIN);
}

static struct file_identity identity_by(int path_fd) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    return file_identity_of(link);
}

void code_plan_add(struct plan *plan, int path_fd) {
    plan->of.code.files[plan->of.code.count++] = identity_by(path_fd);
    plan->looks[plan->looks_count++] = fcntl(path_fd, F_DUPFD_CLOEXEC, 0);
}

struct plan code_plan(const struct trap *t, const struct inscope_file *file, int path_fd) {
    struct plan plan = trap_plan(t);
    plan.carry_out = go_on;
    if (path_fd >= 0)
        code_plan_add(&plan, path_fd);
    else if (file->inode)
        plan.of.code.files[plan.of.code.count++] = (struct file_identity){file->device, file->inode, 0};
    return plan;
}
