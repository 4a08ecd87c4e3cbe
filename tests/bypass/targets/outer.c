/* Runs a command under a filter that denies what container engines deny by default (containerd's and Docker's profile for
 * a container without capabilities), as the pod's own filter does before inscope-init starts. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENY(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define REFUSED(nr, error) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), DENY(error)
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define NAMESPACES 0x7e020000

int main(int argc, char **argv) {
    struct sock_filter code[] = {
        LOAD(nr),
        REFUSED(__NR_clone3, ENOSYS),
        REFUSED(__NR_pidfd_getfd, EPERM),
        REFUSED(__NR_io_uring_setup, EPERM),
        REFUSED(__NR_io_uring_enter, EPERM),
        REFUSED(__NR_io_uring_register, EPERM),
        REFUSED(__NR_unshare, EPERM),
        REFUSED(__NR_setns, EPERM),
        REFUSED(__NR_mount, EPERM),
        REFUSED(__NR_umount2, EPERM),
        REFUSED(__NR_pivot_root, EPERM),
        REFUSED(__NR_move_mount, EPERM),
        REFUSED(__NR_open_tree, EPERM),
        REFUSED(__NR_fsopen, EPERM),
        REFUSED(__NR_userfaultfd, EPERM),
        REFUSED(__NR_bpf, EPERM),
        REFUSED(__NR_perf_event_open, EPERM),
        REFUSED(__NR_keyctl, EPERM),
        REFUSED(__NR_add_key, EPERM),
        REFUSED(__NR_request_key, EPERM),
        REFUSED(__NR_open_by_handle_at, EPERM),
        REFUSED(__NR_init_module, EPERM),
        REFUSED(__NR_finit_module, EPERM),
        REFUSED(__NR_kexec_load, EPERM),
        REFUSED(__NR_quotactl, EPERM),
        REFUSED(__NR_mbind, EPERM),
        /* clone: no new namespaces */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
        DENY(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* personality: only the harmless ones */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_personality, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x400000, 0, 1),
        DENY(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        /* socket: not AF_VSOCK, not AF_ALG */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 5),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_ALG, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        DENY(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("outer");
        return 125;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 125;
}
