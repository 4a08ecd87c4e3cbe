/* The kernel is to start the attacker's program, as root of the machine: core_pattern, modprobe, uevent_helper are written.
 *
 * seen: open
 * enforce: prevented
 * works: root
 */
#include "attack.h"

/* What it says already is written, so that the machine stays what it is. */
static void steer(const char *path) {
    char text[256];
    int reads = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = reads < 0 ? -1 : read(reads, text, sizeof text);
    int writes = open(path, O_WRONLY | O_CLOEXEC);
    if (size >= 0 && writes >= 0 && write(writes, text, (size_t)size) == size)
        won();
}

void attack(void) {
    steer("/proc/sys/kernel/core_pattern");
    chdir("/proc/sys");
    steer("kernel/core_pattern");
    steer("kernel/modprobe");
    steer("/proc/self/root/sys/kernel/uevent_helper");
}
