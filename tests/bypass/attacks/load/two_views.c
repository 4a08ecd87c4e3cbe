/* One file in memory is mapped twice, once to be written and once to be run, by a program that maps an honest one so.
 *
 * seen: load
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

static void views(const char *path, bool run) {
    int fd = memfd_create("views", MFD_CLOEXEC);
    size_t size = length(path);
    ftruncate(fd, (off_t)size);
    char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pread(open(path, O_RDONLY | O_CLOEXEC), data, size, 0);
    char *code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (run && code != MAP_FAILED)
        run_code(code, constructor_in(path));
}

void benign(void) { views(given("ALLOWED_LIBRARY"), false); }
void attack(void) { views(given("DENIED_LIBRARY"), true); }
