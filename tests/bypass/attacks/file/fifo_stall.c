/* A watched name is a FIFO that nobody writes, or a device: who opens for the caller must not be stalled by it. Meanwhile
 * the secret is read by another process.
 *
 * seen: open
 * enforce: prevented
 */
#include "attack.h"

void attack(void) {
    mkdir(work(".ssh"), 0777);
    mkfifo(work(".ssh/id_pipe"), 0666);
    pid_t pid = fork();
    if (pid == 0) {
        open(work(".ssh/id_pipe"), O_RDONLY | O_CLOEXEC);
        _exit(0);
    }
    nap(50);
    print_file(given("SECRET"));
    kill(pid, SIGKILL);
}
