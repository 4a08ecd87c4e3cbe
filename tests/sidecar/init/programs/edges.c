/* Execs whose path, arguments and pointers lie at the very end of a mapping; then ones that lie outside. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *at_end_of_page(const void *bytes, size_t size) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    return memcpy(page + 4096 - size, bytes, size);
}

static void child(const char *path, char **argv) {
    pid_t pid = fork();
    if (pid == 0) {
        execve(path, argv, NULL);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(void) {
    char *path = at_end_of_page("/bin/true", 10), *last = at_end_of_page("last", 5);
    char *argv[] = {"edge", last, NULL};
    child(path, (char **)(void *)at_end_of_page(argv, sizeof argv));
    child(at_end_of_page("/bin/true", 9), argv); /* no end before the memory ends */
    return 0;
}
