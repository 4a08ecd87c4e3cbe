/* Socket addresses: where to, or where at. */
#include "decode.h"

#include <string.h>

#include "lineage.h"
#include "memory.h"
#include "sip.h"
#include "socket.h"

enum { ADDRESS_MAX = 128, BOUND = 64 };

/* The last binds, by inode: what a later listen is about where its socket cannot be asked. */
static struct inscope_address bound[BOUND];

static void remember(const struct inscope_address *body) { bound[body->socket % BOUND] = *body; }

static const struct inscope_address *recall(uint64_t socket) {
    const struct inscope_address *found = &bound[socket % BOUND];
    return socket && found->socket == socket ? found : NULL;
}

static void finish(struct trap *t, enum inscope_kind kind, const struct inscope_address *body, bool readable, bool stands) {
    if (!stands)
        return;
    if (kind == INSCOPE_BIND)
        remember(body);
    trap_report(t, kind, body, sizeof *body, readable ? 0 : INSCOPE_UNREADABLE);
}

/* The address as it was judged: the caller's own may be another by now. */
static struct plan address_plan(const struct trap *t, int descriptor, const void *raw, size_t size) {
    struct plan plan = trap_plan(t);
    plan.of.socket.descriptor = descriptor;
    plan.of.socket.length = (uint32_t)size;
    if (size)
        memcpy(plan.of.socket.address, raw, size);
    return plan;
}

/* The socket itself does not matter to what the act is, so its inode is only asked for when there is a record. */
static bool is_known(struct trap *t, enum inscope_kind kind, const struct inscope_address *body) {
    uint64_t facts[] = {(uint64_t)body->family << 32 | (uint64_t)body->type << 16 | body->protocol, body->port,
                        sip_bytes(body->address, body->length)};
    return kind == INSCOPE_CONNECT && body->type && trap_is_known(t, kind, facts, 3);
}

void decode_address(struct trap *t, enum inscope_kind kind, int descriptor, uint64_t address, uint64_t length) {
    unsigned char raw[ADDRESS_MAX];
    struct inscope_address body = {.nr = t->call->data.nr, .descriptor = descriptor};
    pid_t tid = (pid_t)t->call->pid;
    /* The kernel takes the length as an int, and refuses a negative or longer one by itself. */
    size_t size = (uint32_t)length > ADDRESS_MAX ? ADDRESS_MAX : (uint32_t)length;
    bool readable = memory_copy(tid, address, raw, size) == size && size > 0;
    if (readable)
        socket_name(raw, size, &body);
    trap_recognise(t);
    socket_read_protocol(tid, descriptor, &body);
    struct plan plan = address_plan(t, descriptor, raw, size);
    if (readable && is_known(t, kind, &body)) {
        trap_decide(t, true, &plan, 0);
        return;
    }
    readable &= socket_read_inode(tid, descriptor, &body);
    lineage_introduce(t);
    finish(t, kind, &body, readable, trap_decide(t, false, &plan, 1));
}

static bool where_bound(struct trap *t, struct inscope_address *body) {
    if (socket_bound(t->who.pid, body->descriptor, body))
        return true;
    const struct inscope_address *known = recall(body->socket);
    if (!known)
        return false;
    body->family = known->family;
    body->port = known->port;
    body->length = known->length;
    memcpy(body->address, known->address, sizeof body->address);
    return true;
}

void decode_listen(struct trap *t) {
    struct inscope_address body = {.nr = t->call->data.nr, .descriptor = (int)t->call->data.args[0]};
    trap_identify(t);
    socket_read_protocol((pid_t)t->call->pid, body.descriptor, &body);
    bool readable = socket_read_inode((pid_t)t->call->pid, body.descriptor, &body) && where_bound(t, &body);
    struct plan plan = address_plan(t, body.descriptor, NULL, 0);
    finish(t, INSCOPE_LISTEN, &body, readable, trap_decide(t, false, &plan, 1));
}
