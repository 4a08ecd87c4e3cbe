/* A script that was judged is exchanged for another before its interpreter reads it, 60 times.
 *
 * seen: exec
 * enforce: seen only
 * refused: the loader of a script's interpreter is not told in observe, and asked for in enforce
 * race: yes
 * window: won in 1 of 9 runs of 60 tries
 */
#include "attack.h"

static void script(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    write(fd, text, strlen(text));
    close(fd);
}

static void *swap(void *unused) {
    for (const char *a = work("a"), *b = work("b");; pause_a_little())
        syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
    return unused;
}

void benign(void) {
    script(work("a"), "#!/bin/sh\n:\n");
    script(work("b"), "#!/bin/sh\n:\n");
    spawn(work("a"));
    spawn(work("b"));
}

void attack(void) {
    script(work("a"), "#!/bin/sh\n:\n");
    script(work("b"), "#!/bin/sh\necho WON\n");
    beside(swap, NULL);
    for (int i = 0; i < 60; i++)
        spawn(work(i % 2 ? "a" : "b"));
}
