/* A secret is opened by its handle, which is no name.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    struct file_handle *handle = calloc(1, sizeof *handle + 128);
    handle->handle_bytes = 128;
    int id, mount = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    name_to_handle_at(AT_FDCWD, given("SECRET"), handle, &id, 0);
    show(open_by_handle_at(mount, handle, O_RDONLY | O_CLOEXEC));
    int folder = open(given("WORK"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    show(open_by_handle_at(folder, handle, O_RDONLY | O_CLOEXEC));
}
