/* What the next sidecar needs to judge a record that an earlier one was told: who acts, and the file's descriptor, which
 * only the earlier one was handed. The caller is still held in the call. The sender's alone. */
#ifndef INSCOPE_AGAIN_H
#define INSCOPE_AGAIN_H

#include "message.h"

/* Introduce the process that the record is about, and its ancestors before it. */
void again_introduce(const struct message *record);

/* A readable descriptor of the very file that the record is about; -1: it is about none, or the name leads elsewhere now. */
int again_open(const struct message *record);

#endif
