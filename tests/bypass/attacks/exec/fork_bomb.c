/* 300 processes at once, then each tries another program.
 *
 * seen: exec
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    for (int i = 0; i < 300; i++)
        if (fork() == 0) {
            execve(given(i % 30 ? "ALLOWED" : "DENIED"), arguments("allowed"), environ);
            _exit(126);
        }
    while (wait(NULL) > 0)
        ;
}
