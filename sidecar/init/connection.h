/* One connection to the sidecar: packets out, messages in. The sender's alone. */
#ifndef INSCOPE_CONNECTION_H
#define INSCOPE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "incoming.h"
#include "message.h"

/* Connect to the socket at `path`. Not to a process that the agent started: it could have put a socket of its own in
 * the place of a sidecar that is gone, to be told the secret. */
bool connection_dial(const char *path);

void connection_drop(void);

/* For poll; -1: none. */
int connection_fd(void);

bool connection_wait(short events, int ms);

/* What is done while a packet finds no room, every CONNECTION_WAIT_MS; false gives the connection up. */
enum { CONNECTION_WAIT_MS = 50 };
void connection_meanwhile(bool (*meanwhile)(void));

/* Send one packet, however long the sidecar takes to make room. False: it is gone. */
bool connection_send(struct msghdr *packet);
bool connection_send_message(struct message *m);

/* Take what has come: each message is given to `take`. False: the sidecar is gone, or spoke in a way that it or `take`
 * does not accept. */
bool connection_receive(bool (*take)(const struct incoming *message));

#endif
