/* Makes one call that nothing else makes, so that a test can tell that this is what ran. */
#define _GNU_SOURCE
#include <sys/mman.h>

int main(void) { return memfd_create("here", 0) < 0; }
