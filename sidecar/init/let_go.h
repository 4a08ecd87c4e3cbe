/* Closing what may be the agent's last descriptor of a socket without waiting for whoever is at its other end. */
#ifndef INSCOPE_LET_GO_H
#define INSCOPE_LET_GO_H

/* Close it; any descriptor. One that lingers (SO_LINGER) is closed by a thread of its own, or, where there are too many of
 * those, no longer lingers. */
void let_go(int fd);

#endif
