/* What the kernel would ask of the caller's capabilities, where init acts in its place. */
#ifndef INSCOPE_PRIVILEGE_H
#define INSCOPE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether the caller may bind an internet socket to this port. */
bool privilege_binds(pid_t tid, uint16_t port);

#endif
