/* The path lies on the last bytes of a page, the next page is missing: reading it in one piece fails.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    size_t size = strlen(given("DENIED")) + 1;
    memcpy(pages + 4096 - size, given("DENIED"), size);
    spawn(pages + 4096 - size);
}
