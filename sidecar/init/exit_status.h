/* With what init ends where it is not the command's own status; as env(1) and timeout(1) do. */
#ifndef INSCOPE_EXIT_STATUS_H
#define INSCOPE_EXIT_STATUS_H

enum exit_status {
    STATUS_FAILED = 125, /* init itself failed */
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127
};

#endif
