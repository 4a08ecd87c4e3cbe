#define _GNU_SOURCE
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "counters.h"
#include "kernel.h"
#include "notify.h"
#include "secret_watch.h"

/* Links were followed, and what was to be made is there. */
enum { SETTLED = O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };

/* A lease that another process holds on the file (fcntl F_SETLEASE) would hold init up: it is asked not to. What the
 * caller did not ask for is taken back. */
static int reopen(int path_fd, uint32_t flags) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    int fd = open(link, (int)(flags & ~(uint32_t)SETTLED) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && !(flags & O_NONBLOCK))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int add(const struct plan *plan, int fd, unsigned how) {
    struct seccomp_notif_addfd request = {.id = plan->id,
                                          .flags = how,
                                          .srcfd = (uint32_t)fd,
                                          .newfd_flags = plan->of.open.flags & O_CLOEXEC};
    int added = ioctl(notify_listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request);
    return added < 0 ? -errno : added;
}

/* Before Linux 5.14 two steps: a caller that is interrupted between them keeps a descriptor that it does not know. */
static void hand_over(const struct plan *plan, int fd) {
    int added = add(plan, fd, SECCOMP_ADDFD_FLAG_SEND);
    if (added == -EINVAL)
        plan_answer(plan, add(plan, fd, 0));
    else if (added == -ENOENT)
        count(&counters.gone);
    else if (added < 0) /* the caller's table is full */
        plan_answer(plan, added);
}

static void expect(const struct plan *plan) {
    char link[32];
    if (!plan->of.open.secret || plan->fd < 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", plan->fd);
    struct file_identity file = file_identity_of(link);
    secret_watch_expect(&file);
}

void deliver_by_kernel(struct plan *plan) {
    expect(plan);
    plan_drop(plan);
    secret_watch_left(plan->who.tid);
    plan_let_go_on(plan);
}

void deliver(struct plan *plan) {
    expect(plan);
    int fd = reopen(plan->fd, plan->of.open.flags);
    plan_drop(plan);
    if (fd < 0) {
        plan_answer(plan, fd);
        return;
    }
    hand_over(plan, fd);
    close(fd);
}
