/* FILE: map it for reading, and only then make the mapping executable. */
#include <fcntl.h>
#include <sys/mman.h>

int main(int count, char **arguments) {
    int fd = count == 2 ? open(arguments[1], O_RDONLY) : -1;
    void *at = mmap(0, 8192, PROT_READ, MAP_PRIVATE, fd, 0);
    return at == MAP_FAILED || mprotect((char *)at + 4096, 4096, PROT_READ | PROT_EXEC);
}
