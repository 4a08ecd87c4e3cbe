/* A process installs a filter of its own that wants the calls for itself: another listener.
 *
 * seen: syscall
 * enforce: prevented
 * works: nowhere
 */
#include "attack.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

void attack(void) {
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
    struct sock_fprog program = {1, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0)
        _exit(write(1, "WON\n", 4) < 0);
}
