/* The program that is out of reference: it proves that it ran. Named DENIED in the environment of an attack. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    const char *proof = getenv("PROOF");
    int fd = proof ? open(proof, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    return fd < 0 || write(fd, "the denied program ran\n", 23) != 23;
}
