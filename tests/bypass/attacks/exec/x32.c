/* execve by the x32 numbers of an x86_64 kernel.
 *
 * seen: syscall
 * enforce: prevented
 * works: nowhere
 */
#include "attack.h"

void attack(void) {
#if defined(__x86_64__)
    syscall(0x40000000 + 520, given("DENIED"), arguments("denied"), environ);
#endif
    _exit(0);
}
