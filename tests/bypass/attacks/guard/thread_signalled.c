/* One of init's threads is sent SIGSTOP by its own id, found under /proc.
 *
 * seen: syscall
 * enforce: prevented
 * works: root user filtered
 */
#include "attack.h"

#include <dirent.h>

void attack(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", guard());
    DIR *tasks = opendir(path);
    for (struct dirent *one; tasks && (one = readdir(tasks));) {
        pid_t thread = atoi(one->d_name);
        if (thread > 0 && thread != guard() && syscall(SYS_tkill, thread, SIGSTOP) == 0)
            won();
    }
    kill(guard(), SIGCONT);
}
