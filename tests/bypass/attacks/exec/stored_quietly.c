/* An allowed program is overwritten through a shared mapping, with its times set back, so that nothing but its content
 * tells.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void prepare(void) {
    copy(given("ALLOWED"), work("program"), 0755);
    struct stat facts;
    stat(given("DENIED"), &facts);
    truncate(work("program"), facts.st_size);
}

void benign(void) {
    prepare();
    spawn(work("program"));
}

void attack(void) {
    prepare();
    spawn(work("program"));
    struct stat old, facts;
    stat(work("program"), &old);
    int in = open(given("DENIED"), O_RDONLY | O_CLOEXEC), out = open(work("program"), O_RDWR | O_CLOEXEC);
    fstat(in, &facts);
    char *to = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
    pread(in, to, (size_t)facts.st_size, 0);
    munmap(to, (size_t)facts.st_size);
    futimens(out, (struct timespec[]){old.st_atim, old.st_mtim});
    close(out);
    spawn(work("program"));
}
