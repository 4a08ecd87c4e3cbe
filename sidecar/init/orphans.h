/* What the agent leaves behind when those who watch it end: where it is enforced, nothing runs on unwatched. */
#ifndef INSCOPE_ORPHANS_H
#define INSCOPE_ORPHANS_H

/* Kill and reap all children, and theirs, which come to the caller as a subreaper; gives up after two seconds. */
void orphans_end(void);

#endif
