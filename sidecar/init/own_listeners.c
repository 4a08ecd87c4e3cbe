#define _GNU_SOURCE
#include "own_listeners.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel.h"

enum { LISTENS = 10 /* TCP_LISTEN */, REPLY_ROOM = 8192, USUAL_FIRST_PORT = 32768, PATIENCE_MS = 200 };

struct listener {
    uint64_t inode;
    unsigned char family;
    const uint8_t *address; /* 4 or 16 bytes */
};

static struct {
    pthread_mutex_t lock;
    uint64_t own[OWN_LISTENERS_MAX]; /* 0: free */
    bool still[OWN_LISTENERS_MAX];
    size_t next;
    _Atomic bool any;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- What listens, by the kernel. --- */

typedef void (*each_listener)(const struct listener *listener, void *with);

/* True: this was the last part of the answer, and whole. */
static bool take_reply(const struct nlmsghdr *head, size_t size, each_listener each, void *with, bool *whole) {
    for (; NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
        if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) {
            *whole = head->nlmsg_type == NLMSG_DONE;
            return true;
        }
        const struct inet_diag_msg *found = NLMSG_DATA(head);
        struct listener listener = {found->idiag_inode, found->idiag_family, (const void *)found->id.idiag_src};
        each(&listener, with);
    }
    return false;
}

static bool ask(int fd, int family, uint16_t port) {
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {{sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
                 {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1u << LISTENS}};
    request.body.id.idiag_sport = htons(port);
    return send(fd, &request, sizeof request, 0) >= 0;
}

static bool dump_family(int fd, int family, uint16_t port, each_listener each, void *with) {
    _Alignas(struct nlmsghdr) char reply[REPLY_ROOM];
    bool whole = false;
    if (!ask(fd, family, port))
        return false;
    for (;;) {
        ssize_t n = recv(fd, reply, sizeof reply, 0);
        if (n <= 0 || take_reply((const void *)reply, (size_t)n, each, with, &whole))
            return n > 0 && whole;
    }
}

/* Everything that listens at this port (0: at any), of both families. False: not all of it is known. */
static bool each_that_listens(uint16_t port, each_listener each, void *with) {
    struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bool whole = dump_family(fd, AF_INET, port, each, with) && dump_family(fd, AF_INET6, port, each, with);
    close(fd);
    return whole;
}

/* --- What is the agent's. --- */

/* Its place, or OWN_LISTENERS_MAX. */
static size_t place_of(uint64_t socket) {
    size_t i = 0;
    while (i < OWN_LISTENERS_MAX && state.own[i] != socket)
        i++;
    return i;
}

static void mark(const struct listener *listener, void *with) {
    (void)with;
    size_t i = listener->inode ? place_of(listener->inode) : OWN_LISTENERS_MAX;
    if (i < OWN_LISTENERS_MAX)
        state.still[i] = true;
}

static void forget_closed(void) {
    memset(state.still, 0, sizeof state.still);
    if (!each_that_listens(0, mark, NULL))
        return;
    for (size_t i = 0; i < OWN_LISTENERS_MAX; i++)
        if (!state.still[i])
            state.own[i] = 0;
}

static size_t place_for_new(void) {
    size_t i = place_of(0);
    if (i == OWN_LISTENERS_MAX) {
        forget_closed();
        i = place_of(0);
    }
    return i < OWN_LISTENERS_MAX ? i : state.next++ % OWN_LISTENERS_MAX;
}

void own_listeners_add(uint64_t socket) {
    if (socket == 0)
        return;
    pthread_mutex_lock(&state.lock);
    if (place_of(socket) == OWN_LISTENERS_MAX)
        state.own[place_for_new()] = socket;
    pthread_mutex_unlock(&state.lock);
    atomic_store(&state.any, true);
}

/* --- Where a connect arrives. --- */

/* An address in the form of IPv6, in which one of IPv4 has a place too. */
static struct in6_addr wide(int family, const uint8_t *address) {
    struct in6_addr out = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    if (family == AF_INET6)
        memcpy(&out, address, 16);
    else
        memcpy(out.s6_addr + 12, address, 4);
    return out;
}

static bool is_any(const struct in6_addr *a) {
    static const struct in6_addr any4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    return IN6_IS_ADDR_UNSPECIFIED(a) || memcmp(a, &any4, sizeof any4) == 0;
}

static bool is_loopback(const struct in6_addr *a) {
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* The kernel takes an unspecified address for the machine itself. */
static bool landing(const struct inscope_address *to, struct in6_addr *out) {
    bool internet = (to->family == AF_INET && to->length == 4) || (to->family == AF_INET6 && to->length == 16);
    if (!internet || to->type != SOCK_STREAM || to->protocol != IPPROTO_TCP)
        return false;
    *out = wide(to->family, to->address);
    if (is_any(out))
        *out = IN6_IS_ADDR_V4MAPPED(out) ? wide(AF_INET, (const uint8_t[]){127, 0, 0, 1}) : in6addr_loopback;
    return is_loopback(out);
}

struct arrivals {
    struct in6_addr at;
    unsigned own, others;
};

static void arrive(const struct listener *listener, void *with) {
    struct arrivals *a = with;
    struct in6_addr bound = wide(listener->family, listener->address);
    if (!is_any(&bound) && memcmp(&bound, &a->at, sizeof bound) != 0)
        return;
    if (listener->inode && place_of(listener->inode) < OWN_LISTENERS_MAX)
        a->own++;
    else
        a->others++;
}

static bool arrivals(const struct inscope_address *to, struct arrivals *out) {
    *out = (struct arrivals){0};
    if (!landing(to, &out->at))
        return false;
    pthread_mutex_lock(&state.lock);
    bool whole = each_that_listens(to->port, arrive, out);
    pthread_mutex_unlock(&state.lock);
    return whole;
}

/* A process may have a socket of another network than its own. Before Linux 5.14 the kernel does not tell. */
static bool is_of_our_network(int fd) {
    uint64_t theirs, ours;
    socklen_t size = sizeof theirs;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, NETNS_COOKIE_OPTION, &theirs, &size) < 0)
        return true;
    int own = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    size = sizeof ours;
    bool same = own >= 0 && getsockopt(own, SOL_SOCKET, NETNS_COOKIE_OPTION, &ours, &size) == 0 && ours == theirs;
    if (own >= 0)
        close(own);
    return same;
}

static uint16_t first_port(void) {
    static _Atomic unsigned known;
    unsigned port = atomic_load(&known);
    if (port)
        return (uint16_t)port;
    FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (!range || fscanf(range, "%u", &port) != 1 || port > UINT16_MAX)
        port = USUAL_FIRST_PORT;
    if (range)
        fclose(range);
    atomic_store(&known, port);
    return (uint16_t)port;
}

bool own_listeners_at(const struct process *who, int fd, const struct inscope_address *to) {
    struct arrivals found;
    bool possible = atomic_load(&state.any) && to->port >= first_port();
    return possible && process_shares_network(who->tid) && is_of_our_network(fd) && arrivals(to, &found) &&
           found.own > 0 && found.others == 0;
}

bool own_listeners_lost(const struct inscope_address *to) {
    struct arrivals found;
    return !arrivals(to, &found) || found.others > 0;
}
