/* Socket addresses: where to, or where at. Where init only watches, the kernel does what was asked for; where it enforces, it
 * is done on a descriptor of init's own (egress.c), with what was copied. */
#include "decode.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "egress.h"
#include "egress_reach.h"
#include "lineage.h"
#include "memory.h"
#include "own_listeners.h"
#include "sip.h"
#include "socket.h"
#include "stance.h"
#include "twin.h"

enum { ADDRESS_MAX = 128, BOUND = 64 };

/* What the caller asked for. */
struct address_call {
    enum inscope_kind kind;
    int descriptor;
    uint64_t address, length;
};

/* The last binds, by inode: what a later listen is about where its socket cannot be asked. */
static struct inscope_address bound[BOUND];

static void remember(const struct inscope_address *body) { bound[body->socket % BOUND] = *body; }

static const struct inscope_address *recall(uint64_t socket) {
    const struct inscope_address *found = &bound[socket % BOUND];
    return socket && found->socket == socket ? found : NULL;
}

static unsigned flags_of(bool readable, bool own) {
    return (readable ? 0u : INSCOPE_UNREADABLE) | (own ? INSCOPE_OWN : 0u);
}

static void finish(struct trap *t, enum inscope_kind kind, const struct inscope_address *body, unsigned flags, bool stands) {
    if (!stands)
        return;
    if (kind == INSCOPE_BIND)
        remember(body);
    trap_report(t, kind, body, sizeof *body, flags);
}

/* The socket itself does not matter to what the act is, so its inode is only asked for when there is a record. */
static bool is_known(struct trap *t, enum inscope_kind kind, const struct inscope_address *body) {
    uint64_t facts[] = {(uint64_t)body->family << 32 | (uint64_t)body->type << 16 | body->protocol, body->port,
                        sip_bytes(body->address, body->length)};
    return kind == INSCOPE_CONNECT && body->type && trap_is_known(t, kind, facts, 3);
}

/* An act of its own, told each time: the same address may be somebody else's the next time. */
static bool is_own(struct trap *t, enum inscope_kind kind, int fd, const struct inscope_address *body) {
    bool own = kind == INSCOPE_CONNECT && own_listeners_at(&t->who, fd, body);
    if (own)
        t->key = 0;
    return own;
}

static struct inscope_address body_of(const struct trap *t, int descriptor) {
    return (struct inscope_address){.nr = t->call->data.nr, .descriptor = descriptor};
}

static void watch_address(struct trap *t, const struct address_call *a) {
    unsigned char raw[ADDRESS_MAX];
    struct inscope_address body = body_of(t, a->descriptor);
    pid_t tid = (pid_t)t->call->pid;
    /* The kernel takes the length as an int, and refuses a negative or longer one by itself. */
    size_t size = (uint32_t)a->length > ADDRESS_MAX ? ADDRESS_MAX : (uint32_t)a->length;
    bool readable = memory_copy(tid, a->address, raw, size) == size && size > 0;
    if (readable)
        socket_name(raw, size, &body);
    trap_recognise(t);
    socket_read_protocol(tid, a->descriptor, &body);
    if (readable && is_known(t, a->kind, &body)) {
        trap_decide(t, true, NULL, 0);
        return;
    }
    bool own = readable && is_own(t, a->kind, -1, &body);
    readable &= socket_read_inode(tid, a->descriptor, &body);
    lineage_introduce(t);
    finish(t, a->kind, &body, flags_of(readable, own), trap_decide(t, false, NULL, 1));
}

static bool is_internet(int domain) { return domain == AF_INET || domain == AF_INET6; }

/* Binding and sending by what is no internet socket is left to the kernel: it reaches nobody on another machine, but which
 * socket it happens on is only contained. A connect never is, whatever the socket: another could be in its place. */
static void (*carrier(const struct address_call *a, int nr, int domain))(struct plan *) {
    if (nr == __NR_connect)
        return egress_connect;
    if (!is_internet(domain))
        return NULL;
    return a->kind == INSCOPE_BIND ? egress_bind : egress_send;
}

/* An IPv4 socket binds and sends to an address without a family as if it were one of its own. */
static void name(const struct plan *plan, struct inscope_address *body) {
    unsigned char raw[ADDRESS_MAX];
    sa_family_t family = AF_UNSPEC, own = AF_INET;
    memcpy(raw, plan->of.socket.address, plan->of.socket.length);
    if (plan->of.socket.length >= sizeof family)
        memcpy(&family, raw, sizeof family);
    if (family == AF_UNSPEC && plan->of.socket.domain == AF_INET && plan->nr != __NR_connect)
        memcpy(raw, &own, sizeof own);
    socket_name(raw, plan->of.socket.length, body);
}

static int take_address(const struct trap *t, const struct address_call *a, struct plan *plan) {
    int length = (int)(uint32_t)a->length;
    if (length < 0 || length > ADDRESS_MAX)
        return EINVAL;
    plan->of.socket.length = (uint32_t)length;
    size_t size = (size_t)length;
    return memory_copy((pid_t)t->call->pid, a->address, plan->of.socket.address, size) == size ? 0 : EFAULT;
}

static int take_payload(const struct trap *t, struct plan *plan) {
    const __u64 *args = t->call->data.args;
    plan->of.socket.number = (int)args[3];
    if (plan->carry_out != egress_send)
        return 0;
    if ((uint32_t)args[3] & MSG_FASTOPEN_FLAG)
        return EOPNOTSUPP;
    plan->payload = payload_copy((pid_t)t->call->pid, args[1], args[2]);
    return plan->payload ? 0 : errno;
}

static int take_socket(const struct trap *t, struct plan *plan, struct inscope_address *body) {
    struct reached own = egress_reach(&t->who, body->descriptor, body);
    plan->fd = own.fd;
    plan->of.socket.inode = body->socket;
    plan->of.socket.domain = own.domain;
    plan->of.socket.type = body->type;
    return own.error;
}

/* 0, or the errno with which nothing is to be done: the kernel's own, where it is the caller's mistake. */
static int take(const struct trap *t, const struct address_call *a, struct plan *plan, struct inscope_address *body) {
    int error = take_address(t, a, plan);
    if (error == 0) {
        name(plan, body);
        error = take_socket(t, plan, body);
    }
    if (error)
        return error;
    *body = (struct inscope_address){.nr = body->nr, .descriptor = body->descriptor, .socket = body->socket,
                                     .type = body->type, .protocol = body->protocol};
    name(plan, body);
    plan->of.socket.port = body->port;
    plan->carry_out = carrier(a, plan->nr, plan->of.socket.domain);
    if (egress_is_cut(plan->of.socket.domain))
        return ENETUNREACH;
    return plan->nr == __NR_sendto ? take_payload(t, plan) : 0;
}

/* Told where it is inscope that refuses; a mistake of the caller's is its own affair. */
static void refuse(struct trap *t, enum inscope_kind kind, const struct inscope_address *body, int error) {
    bool ours = error == EACCES || error == ENETUNREACH || error == EOPNOTSUPP || error == EFAULT;
    unsigned flags = (error == EFAULT ? INSCOPE_UNREADABLE : 0) | (error == ENETUNREACH ? INSCOPE_CUT : 0);
    if (ours)
        lineage_introduce(t);
    if (trap_refuse(t, error) && ours)
        trap_report(t, kind, body, sizeof *body, flags);
}

/* Netlink reaches the kernel alone, and an internet socket without its peer reaches nobody. */
static bool is_harmless(const struct plan *plan, const struct inscope_address *body) {
    int domain = plan->of.socket.domain;
    return domain == AF_NETLINK || (is_internet(domain) && plan->nr == __NR_connect && body->family == AF_UNSPEC);
}

static void enforce_address(struct trap *t, const struct address_call *a) {
    trap_recognise(t);
    struct plan plan = trap_plan(t);
    struct inscope_address body = body_of(t, a->descriptor);
    int error = take(t, a, &plan, &body);
    if (error) {
        plan_drop(&plan);
        refuse(t, a->kind, &body, error);
    } else if (is_harmless(&plan, &body) || is_known(t, a->kind, &body))
        trap_decide(t, true, &plan, 0);
    else {
        plan.of.socket.own = plan.carry_out == egress_connect && is_own(t, a->kind, plan.fd, &body);
        lineage_introduce(t);
        finish(t, a->kind, &body, flags_of(true, plan.of.socket.own), trap_decide(t, false, &plan, 1));
    }
}

void decode_address(struct trap *t, enum inscope_kind kind, int descriptor, uint64_t address, uint64_t length) {
    struct address_call call = {kind, descriptor, address, length};
    if (stance_enforces())
        enforce_address(t, &call);
    else
        watch_address(t, &call);
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

static void watch_listen(struct trap *t, struct inscope_address *body) {
    socket_read_protocol((pid_t)t->call->pid, body->descriptor, body);
    bool readable = socket_read_inode((pid_t)t->call->pid, body->descriptor, body) && where_bound(t, body);
    twin_drop(body->socket); /* of a time when it was enforced: nobody would let go of it */
    own_listeners_add(body->socket);
    finish(t, INSCOPE_LISTEN, body, flags_of(readable, false), trap_decide(t, false, NULL, 1));
}

static void enforce_listen(struct trap *t, struct inscope_address *body) {
    struct plan plan = trap_plan(t);
    int error = take_socket(t, &plan, body);
    plan.of.socket.number = (int)t->call->data.args[1];
    plan.carry_out = egress_listen;
    if (error == 0 && egress_is_cut(plan.of.socket.domain))
        error = ENETUNREACH;
    if (error == 0 && !socket_bound_at(plan.fd, body))
        error = EACCES;
    if (error) {
        plan_drop(&plan);
        refuse(t, INSCOPE_LISTEN, body, error);
    } else
        finish(t, INSCOPE_LISTEN, body, 0, trap_decide(t, false, &plan, 1));
}

void decode_listen(struct trap *t) {
    struct inscope_address body = body_of(t, (int)t->call->data.args[0]);
    trap_identify(t);
    if (stance_enforces())
        enforce_listen(t, &body);
    else
        watch_listen(t, &body);
}
