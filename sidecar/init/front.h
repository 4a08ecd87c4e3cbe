/* The process that the shell started, when a separate one supervises: it stands for the agent in the shell's job. */
#ifndef INSCOPE_FRONT_H
#define INSCOPE_FRONT_H

#include <sys/types.h>

/* Pass signals on, stop when the agent stops, and end as the agent ends. Does not return. */
_Noreturn void front_run(int link, pid_t supervisor);

/* End as a process with this wait status ended: by the same signal, but without a core file. */
_Noreturn void front_end_as(int status);

#endif
