/* What can be learned of another process's socket. */
#ifndef INSCOPE_SOCKET_H
#define INSCOPE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wire.h"

/* Fill in type and protocol of a caller's socket; left alone when it cannot be seen. */
void socket_read_protocol(pid_t tid, int descriptor, struct inscope_address *body);

/* Fill in the inode of a caller's socket; false when it cannot be seen, or is no socket. */
bool socket_read_inode(pid_t tid, int descriptor, struct inscope_address *body);

/* Whether the caller has no such descriptor open. */
bool socket_is_missing(pid_t tid, int descriptor);

/* Fill in family, port and address from a raw sockaddr of `size` bytes. */
void socket_name(const unsigned char *raw, size_t size, struct inscope_address *body);

/* Fill in the address that a socket of init's own is bound to. */
bool socket_bound_at(int fd, struct inscope_address *body);

/* The same of a caller's socket (pidfd_getfd); false where that is not allowed. */
bool socket_bound(pid_t pid, int descriptor, struct inscope_address *body);

/* Type and protocol from a protocol name of the kernel, such as "TCPv6"; zeros for one that is not known. */
void socket_protocol(const char *name, struct inscope_address *body);

#endif
