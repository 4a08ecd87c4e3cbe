#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "egress_reach.h"
#include "exit_status.h"
#include "filter.h"
#include "futex.h"
#include "inherited.h"
#include "kernel.h"
#include "notify.h"
#include "scope.h"
#include "stance.h"

enum { STACK_BYTES = 64 * 1024 };

#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

_Atomic int launch_agent;
_Atomic int launch_gate;

static struct sock_filter instructions[FILTER_INSTRUCTIONS_MAX];

struct start {
    const struct options *options;
    struct sock_fprog program;
    bool die_with_init;
    struct launch outcome;
};

static void fail(struct start *s, const char *stage, int error, int status) {
    s->outcome.stage = stage;
    s->outcome.error = error;
    s->outcome.status = status;
    _exit(status);
}

static void wait_at_gate(long ms) {
    atomic_store(&launch_agent, (int)getpid());
    futex_wake(&launch_agent);
    if (ms > 0)
        futex_wait(&launch_gate, 0, ms);
}

static int install(struct start *s) {
    /* Before Linux 5.16 any filter would slow the agent down by a mitigation that it does not have without. */
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                          &s->program);
    s->outcome.killable = fd >= 0;
    if (fd < 0 && errno == EINVAL)
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &s->program);
    return fd;
}

/* From here on every trapped call needs the notify thread, which starts as soon as it sees the listener. */
static void become_observed(struct start *s) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(s, "no_new_privs cannot be set", errno, STATUS_FAILED);
    if (stance_enforces()) /* a second wall: where the kernel has none, the traps are the only one */
        scope_signals();
    int fd = install(s);
    if (fd < 0)
        fail(s, "the kernel refuses a seccomp filter with a listener", errno, STATUS_FAILED);
    ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    atomic_store(&notify_listener, fd);
    futex_wake(&notify_listener);
}

/* What a shell does with a file that has no header the kernel knows. */
static void run_as_script(const char *path, char **argv) {
    static char *command[1024];
    size_t count = 0;
    while (argv[count])
        count++;
    if (count + 2 > sizeof command / sizeof *command)
        return;
    command[0] = "/bin/sh";
    command[1] = (char *)(uintptr_t)path;
    for (size_t i = 1; i <= count; i++)
        command[i + 1] = argv[i];
    execve("/bin/sh", command, environ);
}

static int try_exec(const char *path, char **argv) {
    execve(path, argv, environ);
    if (errno == ENOEXEC)
        run_as_script(path, argv);
    return errno;
}

/* As execvp: the first that can be run; one that is there and may not be is remembered. What is not there is not tried,
 * so that the search leaves no trace in the record. */
static int search(const char *name, char **argv) {
    static char candidate[PATH_MAX];
    const char *folders = getenv("PATH");
    int error = ENOENT;
    for (const char *at = folders ? folders : DEFAULT_PATH, *end; at; at = *end ? end + 1 : NULL) {
        end = at + strcspn(at, ":");
        struct stat st;
        int length = snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)(end - at), at, end > at ? "/" : "", name);
        if (length >= (int)sizeof candidate || stat(candidate, &st) < 0)
            continue;
        int failed = S_ISDIR(st.st_mode) ? EACCES : try_exec(candidate, argv);
        if (failed == EACCES)
            error = EACCES;
        else if (failed != ENOENT && failed != ENOTDIR)
            return failed;
    }
    return error;
}

static void become_agent(struct start *s) {
    char **argv = s->options->command;
    int error = ENOENT;
    if (strchr(argv[0], '/'))
        error = try_exec(argv[0], argv);
    else if (argv[0][0])
        error = search(argv[0], argv);
    bool missing = error == ENOENT || error == ENOTDIR;
    fail(s, missing ? "command not found" : "command cannot be executed", error,
         missing ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static int child(void *start) {
    struct start *s = start;
    if (s->die_with_init)
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    wait_at_gate(s->options->socket ? s->options->wait_ms : 0);
    inherited_restore();
    become_observed(s);
    inherited_restore_mask();
    become_agent(s);
    return STATUS_FAILED;
}

/* Before 5.5 a listener could only answer in place of the kernel, never let a call go on. */
static bool can_continue_calls(void) {
    struct utsname name;
    int major = 0, minor = 0;
    return uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2 || major > 5 ||
           (major == 5 && minor >= 5);
}

static struct launch refused(const char *stage, int error) {
    return (struct launch){.pid = -1, .stage = stage, .error = error, .status = STATUS_FAILED};
}

/* CLONE_VFORK holds this thread until the exec, which also gives the child its own table of files. */
struct launch launch_agent_of(const struct options *options, bool die_with_init) {
    static _Alignas(16) char stack[STACK_BYTES];
    struct start s = {.options = options, .die_with_init = die_with_init};
    struct filter_levels levels = {options->reads, options->writes, egress_reaches_by_twins()};
    if (!can_continue_calls())
        return refused("observing needs Linux 5.5 or later", ENOSYS);
    s.program.len = (unsigned short)filter_build(instructions, levels);
    s.program.filter = instructions;
    s.outcome.pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &s);
    return s.outcome.pid < 0 ? refused("no process can be made", errno) : s.outcome;
}
