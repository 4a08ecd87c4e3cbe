/* The kinds of a SURVEY: what the agent could run, load, read, write and reach. */
#ifndef INSCOPE_INVENTORY_H
#define INSCOPE_INVENTORY_H

#include "listing.h"
#include "options.h"

/* EXECUTABLES, LIBRARIES and WRITABLE_CODE. Folders appear under their real paths; a symbolic link only when it leads
 * out of the folders that are listed anyway, and then as what it leads to. */
void inventory_code(struct listing *l, const struct options *options);

/* SECRETS: files that the watch list matches for reading, where secrets are usually kept. */
void inventory_secrets(struct listing *l);

/* EGRESS, PORTS and SYSCALLS. */
void inventory_reach(struct listing *l);

#endif
