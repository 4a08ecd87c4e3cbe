/* PID SIGNAL: reach a process by every call there is, and print what each answered: `name errno`, 0 for success. With
 * SIGNAL 0 only what changes nothing is tried. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void tell(const char *name, long result) { printf("%s %d\n", name, result < 0 ? errno : 0); }

static void signals(int pid, int number) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = number;
    info.si_code = SI_QUEUE;
    int folder = open("/proc/self", O_RDONLY | O_DIRECTORY);
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", pid);
    int theirs = open(path, O_RDONLY | O_DIRECTORY);
    tell("kill", syscall(SYS_kill, pid, number));
    tell("tkill", syscall(SYS_tkill, pid, number));
    tell("tgkill", syscall(SYS_tgkill, pid, pid, number));
    tell("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, pid, number, &info));
    tell("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info));
    tell("pidfd_send_signal", syscall(SYS_pidfd_send_signal, theirs, number, NULL, 0));
    close(folder);
    close(theirs);
}

static void limits(int pid) {
    struct rlimit64 {
        uint64_t soft, hard;
    } limit = {1, 1};
    tell("prlimit64", syscall(SYS_prlimit64, pid, RLIMIT_CPU, &limit, NULL));
}

static void scheduling(int pid) {
    struct sched_param plain = {0};
    struct scheduling idle = {.size = sizeof idle, .policy = SCHED_IDLE};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    tell("sched_setscheduler", syscall(SYS_sched_setscheduler, pid, SCHED_IDLE, &plain));
    tell("sched_setparam", syscall(SYS_sched_setparam, pid, &plain));
    tell("sched_setattr", syscall(SYS_sched_setattr, pid, &idle, 0));
    tell("sched_setaffinity", syscall(SYS_sched_setaffinity, pid, sizeof one, &one));
    tell("setpriority", syscall(SYS_setpriority, PRIO_PROCESS, pid, 19));
    tell("setpriority", syscall(SYS_setpriority, PRIO_USER, 0, 19));
    tell("ioprio_set", syscall(SYS_ioprio_set, 1, pid, 3 << 13));
    tell("ioprio_set", syscall(SYS_ioprio_set, 3, getuid(), 3 << 13));
    tell("migrate_pages", syscall(SYS_migrate_pages, pid, 0, NULL, NULL));
    tell("move_pages", syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0));
}

static void memory(int pid) {
    char word[8] = "";
    struct iovec local = {word, sizeof word}, remote = {word, sizeof word};
    uint64_t attributes[16] = {1 | (uint64_t)128 << 32};
    tell("pidfd_open", syscall(SYS_pidfd_open, pid, 0));
    tell("process_vm_readv", syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
    tell("process_vm_writev", syscall(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0));
    tell("ptrace", ptrace(PTRACE_SEIZE, pid, 0, 0));
    tell("kcmp", syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 0, 0));
    tell("kcmp", syscall(SYS_kcmp, pid, getpid(), KCMP_FILE, 0, 0));
    tell("perf_event_open", syscall(SYS_perf_event_open, attributes, pid, -1, -1, 0));
}

int main(int count, char **arguments) {
    int pid = count > 2 ? atoi(arguments[1]) : 0, number = count > 2 ? atoi(arguments[2]) : 0;
    if (pid == 0)
        pid = getppid();
    if (number == 0) {
        tell("pidfd_open", syscall(SYS_pidfd_open, pid, 0));
        tell("kill", kill(pid, SIGCONT));
        return 0;
    }
    signals(pid, number);
    limits(pid);
    scheduling(pid);
    memory(pid);
    tell("setpgid", setpgid(0, getpgid(pid)));
    tell("fcntl", fcntl(0, F_SETSIG, SIGKILL));
    return 0;
}
