/* A secret is read by the i386 entry of the kernel.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

#if defined(__x86_64__)
static int call(int number, unsigned first, unsigned second) {
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

void attack(void) {
    char *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    strcpy(low, given("SECRET"));
    show(call(5, (unsigned)(uintptr_t)low, O_RDONLY));
}
#else
void attack(void) {}
#endif
