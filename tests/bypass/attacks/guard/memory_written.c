/* Init's memory is opened to be written, and read and written by the calls for it.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    char path[64], maps[128] = {0};
    snprintf(path, sizeof path, "/proc/%d/maps", guard());
    ssize_t size = read(open(path, O_RDONLY | O_CLOEXEC), maps, sizeof maps - 1);
    uintptr_t start = size > 0 ? strtoul(maps, NULL, 16) : 0x200000;
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)start, 1};
    if (syscall(SYS_process_vm_readv, guard(), &here, 1, &there, 1, 0) == 1)
        won();
    snprintf(path, sizeof path, "/proc/%d/mem", guard());
    if (open(path, O_RDWR | O_CLOEXEC) >= 0)
        won();
}
