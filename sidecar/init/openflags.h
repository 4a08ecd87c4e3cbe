/* Which opens ask to write. The literal 3 is the kernel's O_ACCMODE: musl's also contains O_PATH. */
#ifndef INSCOPE_OPENFLAGS_H
#define INSCOPE_OPENFLAGS_H

#include <fcntl.h>

#define OPEN_WRITE_FLAGS (3 | O_CREAT | O_TRUNC)

#endif
