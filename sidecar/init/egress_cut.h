/* Quarantine for what was open before: connections are broken off, listeners closed, datagram sockets can send no more. What
 * is opened later is refused as it is asked for (egress.c). */
#ifndef INSCOPE_EGRESS_CUT_H
#define INSCOPE_EGRESS_CUT_H

/* The stance has changed: begin, if it is a quarantine. A thread goes on for as long as it is. */
void egress_cut_heed(void);

#endif
