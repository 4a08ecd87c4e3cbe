/* connect by the i386 entry of the kernel (socketcall).
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
    struct sockaddr_in *to = (struct sockaddr_in *)(low + 64);
    *to = loopback("DENIED_PORT");
    uint32_t *words = (uint32_t *)low;
    words[0] = (uint32_t)socket(AF_INET, SOCK_STREAM, 0);
    words[1] = (uint32_t)(uintptr_t)to;
    words[2] = sizeof *to;
    call(102, 3, (uint32_t)(uintptr_t)words);
}
#else
void attack(void) {}
#endif
