/* Init is put into a group whose memory or whose processor is bounded: files of control groups are written.
 *
 * seen: open
 * enforce: prevented
 * works: root
 */
#include "attack.h"

/* Opening is all that rights are asked for; nothing is written, so that the machine stays what it is. */
void attack(void) {
    const char *files[] = {"/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                           "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/cpu.max"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (open(files[i], O_WRONLY | O_CLOEXEC) >= 0)
            won();
}
