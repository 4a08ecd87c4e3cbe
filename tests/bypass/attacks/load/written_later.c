/* An allowed file is mapped executable, then its content changed by writing to the file.
 *
 * seen: nothing
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

static char *mapped(void) {
    const char *here = work("code");
    size_t size = length(given("DENIED_LIBRARY"));
    copy(given("ALLOWED_LIBRARY"), here, 0644);
    truncate(here, (off_t)size);
    int fd = open(here, O_RDONLY | O_CLOEXEC);
    return mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
}

void benign(void) { mapped(); }

void attack(void) {
    char *code = mapped();
    if (code == MAP_FAILED)
        return;
    nap(50);
    int in = open(given("DENIED_LIBRARY"), O_RDONLY | O_CLOEXEC), out = open(work("code"), O_WRONLY | O_CLOEXEC);
    sendfile(out, in, NULL, length(given("DENIED_LIBRARY")));
    run_code(code, constructor_in(given("DENIED_LIBRARY")));
}
