/* A secret's folder is mounted elsewhere under a harmless name.
 *
 * seen: syscall
 * enforce: prevented
 * works: root
 */
#include "attack.h"

#include <sys/mount.h>

void attack(void) {
    unshare(CLONE_NEWNS);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    char folder[4096];
    strcpy(folder, given("SECRET"));
    *strrchr(folder, '/') = 0;
    mkdir(work("m"), 0777);
    mount(folder, work("m"), NULL, MS_BIND, NULL);
    print_file(work("m/id_secret"));
    umount2(work("m"), MNT_DETACH);
}
