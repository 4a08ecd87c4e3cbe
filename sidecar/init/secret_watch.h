/* Who opens secrets, as the kernel tells it: the cross-check of what was judged. A pointer can be changed between the
 * judgement of an open that only the kernel can make (of a device, say) and the kernel's own look. */
#ifndef INSCOPE_SECRET_WATCH_H
#define INSCOPE_SECRET_WATCH_H

#include <sys/types.h>

#include "file_set.h"

enum { SECRET_WATCHES_MAX = 512 };

/* The file that this link leads to is a secret: watch it, as far as there is room. Any thread. */
void secret_watch_add(const char *link, const struct file_identity *file);

/* An open of it was judged, and is about to be made. Any thread. */
void secret_watch_expect(const struct file_identity *file);

/* This thread's open, whose path was judged, is left to the kernel, which reads it again. Any thread. */
void secret_watch_left(pid_t tid);

/* It is enforced: from now on who had an open left to the kernel, and then has a secret that nobody may open, is killed,
 * and an OPEN record tells. Other openers are nobody's that init knows of: another container, an operator. */
void secret_watch_begin(void);

#endif
