/* A script with two interpreters in a row, the first a script itself, starts another program.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

static void script(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    write(fd, text, strlen(text));
    close(fd);
}

void attack(void) {
    char text[8192];
    snprintf(text, sizeof text, "#!/bin/sh\necho WON\n");
    script(work("first"), text);
    snprintf(text, sizeof text, "#!%s\n", work("first"));
    script(work("second"), text);
    spawn(work("second"));
}
