/* A System V segment is filled with code and attached executable.
 *
 * seen: code-memory
 * enforce: prevented
 */
#include "attack.h"
#include "load/mapped.h"

#include <sys/shm.h>

void attack(void) {
    const char *path = given("DENIED_LIBRARY");
    int id = shmget(IPC_PRIVATE, length(path), 0777);
    char *data = shmat(id, NULL, 0);
    pread(open(path, O_RDONLY | O_CLOEXEC), data, length(path), 0);
    char *code = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
    shmctl(id, IPC_RMID, NULL);
    if (code != (void *)-1)
        run_code(code, constructor_in(path));
}
