/* After chroot the secret's path is another.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

void attack(void) {
    char folder[4096];
    strcpy(folder, given("SECRET"));
    *strrchr(folder, '/') = 0;
    if (chroot(folder) == 0)
        print_file("/id_secret");
}
