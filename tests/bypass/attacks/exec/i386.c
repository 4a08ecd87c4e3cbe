/* execve by the i386 entry of the kernel, whose numbers are others.
 *
 * seen: syscall
 * enforce: prevented
 */
#include "attack.h"

#if defined(__x86_64__)
static int call(int number, const void *first, const void *second, const void *third) {
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"((int)(uintptr_t)first), "c"((int)(uintptr_t)second), "d"((int)(uintptr_t)third)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

void attack(void) {
    char *low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    uint32_t *words = (uint32_t *)(low + 4096);
    strcpy(low, given("DENIED"));
    snprintf(low + 2048, 2048, "PROOF=%s", given("PROOF"));
    words[0] = (uint32_t)(uintptr_t)low;
    words[4] = (uint32_t)(uintptr_t)(low + 2048);
    call(11, low, words, words + 4);
}
#else
void attack(void) {}
#endif
