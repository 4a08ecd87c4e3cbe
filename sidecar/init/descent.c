#include "descent.h"

#include <unistd.h>

#include "process.h"

enum { DEPTH_MAX = 64 };

bool descends_from_init(pid_t pid) {
    for (int depth = 0; depth < DEPTH_MAX && pid > 1; depth++) {
        pid = process_read(pid).ppid;
        if (pid == getpid())
            return true;
    }
    return false;
}
