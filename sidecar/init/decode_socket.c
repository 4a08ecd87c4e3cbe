/* Sockets as they are made, and data sent with the handshake of a connection that was never asked for. */
#include "decode.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "egress.h"
#include "egress_reach.h"
#include "filter.h"
#include "lineage.h"
#include "stance.h"

enum { KIND = 0xf };

static bool is_internet(int domain) { return domain == AF_INET || domain == AF_INET6; }

static bool is_usual(int protocol) {
    return protocol == 0 || protocol == IPPROTO_TCP || protocol == FILTER_MPTCP || protocol == IPPROTO_UDP;
}

/* Streams show at their connect, unix and netlink sockets at theirs: they are only notified for init to make them. */
static bool is_plain(int domain, int type, int protocol) {
    bool stream = is_internet(domain) && (type & KIND) == SOCK_STREAM && is_usual(protocol) && protocol != IPPROTO_UDP;
    return stream || domain == AF_UNIX || domain == AF_NETLINK;
}

/* The others may need a right that init has and the caller has not: the kernel makes them, once they are judged. */
static bool makes(int domain, int type, int protocol) {
    bool plain = is_plain(domain, type, protocol);
    return plain || (is_internet(domain) && (type & KIND) == SOCK_DGRAM && is_usual(protocol));
}

static struct plan plan_of(const struct trap *t, int domain, int type, int protocol) {
    struct plan plan = trap_plan(t);
    plan.of.make.domain = domain;
    plan.of.make.type = type;
    plan.of.make.protocol = protocol;
    if (egress_reaches_by_twins() && makes(domain, type, protocol))
        plan.carry_out = egress_make;
    return plan;
}

/* Resolvers make the same socket each time. */
static bool is_known(struct trap *t) {
    const __u64 *args = t->call->data.args;
    uint64_t facts[] = {args[0], args[1], args[2]};
    return trap_is_known(t, INSCOPE_SYSCALL, facts, 3);
}

void decode_socket(struct trap *t) {
    const __u64 *args = t->call->data.args;
    int domain = (int)args[0], type = (int)args[1], protocol = (int)args[2];
    bool plain = is_plain(domain, type, protocol);
    if (plain && !stance_enforces()) {
        trap_pass(t);
        return;
    }
    trap_recognise(t);
    struct plan plan = plan_of(t, domain, type, protocol);
    if (egress_is_cut(domain))
        call_refuse(t, EACCES, INSCOPE_CUT);
    else if (plain || is_known(t))
        trap_decide(t, true, &plan, 0);
    else {
        lineage_introduce(t);
        if (trap_decide(t, false, &plan, 1))
            call_tell(t, 0);
    }
}

/* The address is out of sight of who judges. Callers connect instead when they are told that it cannot be done. */
void decode_fast_open(struct trap *t) {
    if (stance_enforces())
        call_refuse(t, EOPNOTSUPP, 0);
    else
        decode_call(t);
}
