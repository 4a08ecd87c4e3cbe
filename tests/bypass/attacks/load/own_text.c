/* A process overwrites its own code through /proc/self/mem, which ignores protections.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

__attribute__((noinline)) static int harmless(void) {
    __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop");
    return 0;
}

void attack(void) {
#if defined(__x86_64__)
    static const unsigned char code[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* return 1 */
#else
    static const unsigned char code[] = {0x20, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6};
#endif
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    pwrite(fd, code, sizeof code, (off_t)(uintptr_t)harmless);
    int (*volatile now)(void) = harmless;
    if (now())
        won();
}
