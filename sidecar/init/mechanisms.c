#define _GNU_SOURCE
#include "mechanisms.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "held.h"
#include "kernel.h"
#include "wire.h"

enum { PIDFD_THREAD_FLAG = O_EXCL, LANDLOCK_VERSION_FLAG = 1, LANDLOCK_SIGNAL_ABI = 6, TCP_DESTROY_GROUP = 1 };

/* A probe gives 0 or the errno of what refused. Those that need the held child run in the order of the table; the one
 * that answers the held call for good comes last. */
struct probe {
    struct mechanism mechanism;
    int (*run)(struct held *h);
};

static int result(long value) { return value < 0 ? errno : 0; }

static int probe_notify(struct held *h) {
    if (h->listener < 0)
        return h->error;
    return held_continue(h);
}

static int probe_sync_wake(struct held *h) {
    if (h->listener < 0)
        return h->error;
    return result(ioctl(h->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP));
}

static int probe_killable(struct held *h) { return h->listener < 0 ? h->error : h->killable ? 0 : EINVAL; }

static int probe_vm_read(struct held *h) {
    uint64_t copy = 0;
    struct iovec local = {&copy, sizeof copy}, remote = {&h->word, sizeof h->word};
    if (process_vm_readv(h->child, &local, 1, &remote, 1, 0) < 0)
        return errno;
    return copy == h->word ? 0 : EIO;
}

static int probe_proc_mem(struct held *h) {
    char path[32];
    uint64_t copy = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", h->child);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t n = pread(fd, &copy, sizeof copy, (off_t)(uintptr_t)&h->word);
    int error = n < 0 ? errno : copy == h->word ? 0 : EIO;
    close(fd);
    return error;
}

/* The child shares the table of files: what is added there is closed here. */
static int add_fd(struct held *h, unsigned flags) {
    struct seccomp_notif_addfd add = {.id = h->id, .srcfd = (uint32_t)h->listener, .flags = flags,
                                      .newfd_flags = O_CLOEXEC};
    if (h->listener < 0)
        return h->error;
    int fd = ioctl(h->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int probe_addfd(struct held *h) { return add_fd(h, 0); }
static int probe_addfd_send(struct held *h) { return add_fd(h, SECCOMP_ADDFD_FLAG_SEND); }

static int probe_pidfd_getfd(struct held *h) {
    int process = (int)syscall(SYS_pidfd_open, h->child, 0);
    if (process < 0)
        return errno;
    int fd = (int)syscall(SYS_pidfd_getfd, process, process, 0), error = result(fd); /* the table is shared */
    close(process);
    if (fd >= 0)
        close(fd);
    return error;
}

static int probe_pidfd_thread(struct held *h) {
    int thread = (int)syscall(SYS_pidfd_open, h->child, PIDFD_THREAD_FLAG), error = result(thread);
    if (thread >= 0)
        close(thread);
    return error;
}

/* As links are followed for a caller: within its root, and none that means another process. */
static int probe_openat2(struct held *h) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    (void)h;
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how), error = result(fd);
    if (fd >= 0)
        close(fd);
    return error;
}

/* As the gate seizes: the tracee stops at its exec, and dies with its tracer. */
static int probe_seize(struct held *h) {
    return result(ptrace(PTRACE_SEIZE, h->child, NULL, (void *)(uintptr_t)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)));
}

static long landlock_abi(void) { return syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG); }

static int probe_landlock(struct held *h) {
    (void)h;
    return result(landlock_abi());
}

static int probe_landlock_signal(struct held *h) {
    (void)h;
    return landlock_abi() >= LANDLOCK_SIGNAL_ABI ? 0 : ENOSYS;
}

static int open_diag(unsigned groups) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd >= 0 && bind(fd, (struct sockaddr *)(void *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int probe_sock_diag(struct held *h) {
    (void)h;
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {{sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
                 {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1u << 1}};
    union {
        struct nlmsghdr head;
        char room[8192];
    } reply;
    int fd = open_diag(0);
    if (fd < 0)
        return errno;
    bool answered = send(fd, &request, sizeof request, 0) >= 0 && recv(fd, &reply, sizeof reply, 0) > 0;
    int error = answered ? (reply.head.nlmsg_type == NLMSG_ERROR ? EOPNOTSUPP : 0) : errno;
    close(fd);
    return error;
}

static int probe_tcp_destroy(struct held *h) {
    (void)h;
    int fd = open_diag(TCP_DESTROY_GROUP);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int probe_subreaper(struct held *h) {
    (void)h;
    int now = 0;
    return result(prctl(PR_GET_CHILD_SUBREAPER, &now, 0, 0, 0));
}

static const struct probe probes[] = {
    {{INSCOPE_M_NOTIFY, "notify", "5.5", "everything: no call of the agent is seen"}, probe_notify},
    {{INSCOPE_M_SYNC_WAKE, "sync-wake", "6.6", "a third of the speed of each trapped call"}, probe_sync_wake},
    {{INSCOPE_M_WAIT_KILLABLE, "wait-killable", "5.19",
      "a call held longer than a busy timer's period begins anew each time, and is never refused"},
     probe_killable},
    {{INSCOPE_M_VM_READ, "vm-read", "3.2", "speed, where /proc/PID/mem works; else paths, addresses and arguments"},
     probe_vm_read},
    {{INSCOPE_M_PROC_MEM, "proc-mem", "2.6", "the second way to read paths, addresses and arguments"},
     probe_proc_mem},
    {{INSCOPE_M_ADDFD, "addfd", "5.9", "enforce: opens cannot be made in the agent's place"}, probe_addfd},
    {{INSCOPE_M_PIDFD_GETFD, "pidfd-getfd", "5.6",
      "enforce: sockets older than init, or handed over, are refused; the bound address of a listener on port 0"},
     probe_pidfd_getfd},
    {{INSCOPE_M_PIDFD_THREAD, "pidfd-thread", "6.9",
      "enforce: sockets of a thread that has a table of files of its own are refused"},
     probe_pidfd_thread},
    {{INSCOPE_M_OPENAT2, "openat2", "5.6", "enforce: links that mean another process are found by their text only"},
     probe_openat2},
    {{INSCOPE_M_PTRACE_SEIZE, "ptrace-seize", "3.8", "enforce: no program can be looked at before it runs"}, probe_seize},
    {{INSCOPE_M_LANDLOCK, "landlock", "5.13", "what landlock-signal builds on"}, probe_landlock},
    {{INSCOPE_M_LANDLOCK_SIGNAL, "landlock-signal", "6.12",
      "enforce: the second wall against signals to init and the sidecar; the traps are the only one"},
     probe_landlock_signal},
    {{INSCOPE_M_SOCK_DIAG, "sock-diag", "3.3", "the check of what was contacted against what was claimed"},
     probe_sock_diag},
    {{INSCOPE_M_TCP_DESTROY, "tcp-destroy", "4.5", "exact bytes for each destination"}, probe_tcp_destroy},
    {{INSCOPE_M_SUBREAPER, "subreaper", "3.4", "the end of orphaned processes, where init is not PID 1"},
     probe_subreaper},
    {{INSCOPE_M_ADDFD_SEND, "addfd-send", "5.14",
      "enforce: sockets cannot be made in the agent's place, only borrowed (pidfd-getfd)"},
     probe_addfd_send},
};
_Static_assert(sizeof probes / sizeof *probes == MECHANISMS, "a row for each mechanism");

const struct mechanism *mechanism_at(size_t index) { return &probes[index].mechanism; }

void mechanisms_try(int errors[MECHANISMS]) {
    struct held h;
    held_begin(&h);
    for (size_t i = 0; i < MECHANISMS; i++)
        errors[i] = probes[i].run(&h);
    held_release(&h);
}

uint32_t mechanisms_probe(void) {
    int errors[MECHANISMS];
    uint32_t works = 0;
    mechanisms_try(errors);
    for (size_t i = 0; i < MECHANISMS; i++)
        if (errors[i] == 0)
            works |= probes[i].mechanism.bit;
    return works;
}
