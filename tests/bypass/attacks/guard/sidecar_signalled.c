/* The sidecar is sent a signal, where it can be named: under `inscope run` it is the agent's own user's.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    char path[64], text[512] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", guard());
    ssize_t size = read(open(path, O_RDONLY | O_CLOEXEC), text, sizeof text - 1);
    char *after = size > 0 ? strrchr(text, ')') : NULL;
    pid_t sidecar = after ? atoi(after + 4) : 0;
    if (sidecar > 1 && kill(sidecar, SIGWINCH) == 0) /* which nobody minds */
        won();
}
