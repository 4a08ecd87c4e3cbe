/* What `--check` prints. */
#ifndef INSCOPE_CHECK_H
#define INSCOPE_CHECK_H

/* Print one JSON object a line for each mechanism, and for what of this kernel's configuration matters; the status to
 * exit with: 0 where observing works, 1 where not. */
int check_print(void);

#endif
