#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "actors.h"
#include "connection.h"
#include "counters.h"
#include "egress_cut.h"
#include "freeze.h"
#include "futex.h"
#include "hello.h"
#include "image.h"
#include "incoming.h"
#include "known.h"
#include "launch.h"
#include "lineage.h"
#include "message.h"
#include "patterns.h"
#include "pending.h"
#include "queue.h"
#include "sip.h"
#include "stance.h"
#include "survey.h"
#include "tallies.h"
#include "thread.h"

enum {
    RETRY_MS = 200,
    FIRST_RETRY_MS = 10, /* while the agent waits */
    REFUSED_RETRY_MS = 5000,
    WELCOME_MS = 2000,
    PATTERNS_MS = 200, /* after the welcome, before the agent starts without them */
    BATCH_MS = 5,      /* records are collected this long after the first */
    SURVEY_END_MS = 2000, /* that the end of an agent waits for the survey */
    TICK_MS = 1000
};

static struct {
    const struct options *options;
    struct hello hello;
    _Atomic int connected, finishing, finished;
    int status;
    uint64_t counted_ns;
    uint64_t survey_at_ns; /* 0: none is due */
    struct inscope_mode mode;
    bool mode_untold, refused;
} channel;

static struct message outgoing;

static uint64_t after_ms(uint64_t ms) { return boottime_ns() + ms * 1000000u; }

static void open_gate(void) {
    atomic_store(&launch_gate, 1);
    futex_wake(&launch_gate);
}

/* The next sidecar has seen nothing: from now on all is passed again. */
static void drop_connection(void) {
    connection_drop();
    atomic_store(&channel.connected, 0);
    queue_connected(false);
    image_forget_all();
    lineage_forget_all();
    pending_ask_again();
    if (stance_enforces()) /* what is known to be good goes on */
        return;
    actors_forget();
    atomic_fetch_add(&counters.lost_away, known_forget());
}

static bool adopt(struct inscope_mode mode) {
    channel.mode = mode;
    channel.mode_untold = true;
    if (!stance_take(&mode))
        return false;
    freeze_heed();
    egress_cut_heed();
    return true;
}

static bool tell_mode(void) {
    if (!channel.mode_untold)
        return true;
    channel.mode_untold = false;
    message_begin(&outgoing, INSCOPE_MODE_IS, NULL, boottime_ns());
    message_body(&outgoing, &channel.mode, sizeof channel.mode);
    return connection_send_message(&outgoing);
}

/* The welcome of a new connection, or what may come at any time. False: this peer is not to be listened to. */
static bool take(const struct incoming *in) {
    struct inscope_welcome welcome;
    struct inscope_mode mode;
    char reason[200];
    switch ((int)in->kind) {
    case INSCOPE_WELCOME:
        if (!incoming_welcome(in, &welcome) || !adopt((struct inscope_mode){welcome.stance, welcome.generation}))
            return false;
        atomic_store(&channel.connected, 1);
        channel.survey_at_ns = welcome.survey ? after_ms(PATTERNS_MS) : 0;
        if (welcome.survey)
            survey_announce();
        return true;
    case INSCOPE_PATTERNS: return incoming_patterns(in);
    case INSCOPE_ACTOR: return incoming_actor(in);
    case INSCOPE_KNOWN: return incoming_known(in);
    case INSCOPE_MODE: return incoming_mode(in, &mode) && adopt(mode);
    case INSCOPE_VERDICT: return incoming_verdict(in);
    case INSCOPE_REFUSED:
        incoming_reason(in, reason, sizeof reason);
        fprintf(stderr, "inscope-init: the sidecar refused: %s\n", reason);
        channel.refused = true;
        return false;
    default: return false;
    }
}

/* A sidecar that does not read, or does not answer, holds nobody up for longer, and is listened to. */
static bool meanwhile(void) {
    pending_attend(boottime_ns());
    return connection_receive(take);
}

static bool await(bool (*reached)(void), uint64_t until_ns) {
    while (!reached()) {
        if (boottime_ns() >= until_ns)
            return false;
        connection_wait(POLLIN, CONNECTION_WAIT_MS);
        if (!meanwhile())
            return false;
    }
    return true;
}

static bool welcomed(void) { return atomic_load(&channel.connected); }

static bool needs_patterns(void) {
    return channel.options->reads == INSCOPE_WATCHED || channel.options->writes == INSCOPE_WATCHED;
}

static bool prepared(void) { return patterns_known() || !needs_patterns(); }

static bool greet(void) {
    hello_write(&outgoing, &channel.hello);
    if (!connection_send_message(&outgoing) || !await(welcomed, after_ms(WELCOME_MS)))
        return false;
    tallies_begin();
    queue_connected(true);
    bool ready = await(prepared, after_ms(stance_enforces() ? WELCOME_MS : PATTERNS_MS));
    pending_tell_untold();
    return ready || !stance_enforces(); /* without patterns nothing can be judged */
}

/* Those who are held are refused in time all the same. */
static void rest_after_refusal(void) {
    for (int ms = 0; ms < REFUSED_RETRY_MS && !atomic_load(&channel.finishing); ms += RETRY_MS) {
        usleep(RETRY_MS * 1000);
        pending_attend(boottime_ns());
    }
}

static void rest(void) { usleep((atomic_load(&launch_gate) ? RETRY_MS : FIRST_RETRY_MS) * 1000); }

/* A sidecar that ends may still be connected to, for as long as its sockets are being closed: that is no refusal. */
static bool connect_once(void) {
    channel.refused = false;
    if (!connection_dial(channel.options->socket)) {
        rest();
        return false;
    }
    if (greet()) {
        open_gate();
        return true;
    }
    drop_connection();
    if (!channel.refused) {
        rest();
        return false;
    }
    open_gate();
    rest_after_refusal();
    return false;
}

static void attach(struct msghdr *packet, const struct batch *batch, void *control) {
    packet->msg_control = control;
    packet->msg_controllen = CMSG_SPACE(batch->fd_count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(packet);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(batch->fd_count * sizeof(int));
    memcpy(CMSG_DATA(c), batch->fds, batch->fd_count * sizeof(int));
}

/* A packet that could not be sent stays in the ring, and goes out on the next connection. */
static bool send_batches(void) {
    static struct batch batch;
    static _Alignas(struct cmsghdr) char control[CMSG_SPACE(INSCOPE_FDS_MAX * sizeof(int))];
    for (queue_batch(&batch); batch.count > 0; queue_batch(&batch)) {
        struct msghdr packet = {.msg_iov = batch.parts, .msg_iovlen = batch.count};
        if (batch.fd_count)
            attach(&packet, &batch, control);
        if (!connection_send(&packet))
            return false;
        queue_release(&batch);
    }
    return true;
}

static bool goodbye(void) {
    struct inscope_exit body = {channel.status};
    struct process agent = {.pid = atomic_load(&launch_agent), .tid = atomic_load(&launch_agent), .ppid = getpid()};
    if (!tallies_tell())
        return false;
    message_begin(&outgoing, INSCOPE_BYE, &agent, boottime_ns());
    message_body(&outgoing, &body, sizeof body);
    if (!connection_send_message(&outgoing))
        return false;
    while (connection_receive(take))
        connection_wait(POLLIN, TICK_MS);
    return true;
}

static void survey_when_due(void) {
    if (channel.survey_at_ns == 0 || !(patterns_known() || boottime_ns() >= channel.survey_at_ns))
        return;
    channel.survey_at_ns = 0;
    survey_start(channel.options);
}

/* Sleep until there is something to do; true: the sidecar spoke or went. */
static bool sleep_until_work(void) {
    struct pollfd p[2] = {{.fd = connection_fd(), .events = POLLIN}, {.fd = queue_wake_fd(), .events = POLLIN}};
    bool may_sleep = queue_sleep() && !atomic_load(&channel.finishing);
    poll(p, 2, may_sleep ? pending_due_ms(boottime_ns(), TICK_MS) : 0);
    queue_awake();
    return p[0].revents != 0;
}

/* Let the first record's companions arrive, unless the ring fills (which wakes) or the end is near. */
static void collect(void) {
    struct pollfd wake = {.fd = queue_wake_fd(), .events = POLLIN};
    if (!queue_is_empty() && !queue_is_urgent() && queue_has_room() && !atomic_load(&channel.finishing))
        poll(&wake, 1, BATCH_MS);
}

static bool serve_connection(void) {
    if (sleep_until_work() && !connection_receive(take))
        return false;
    if (!tell_mode())
        return false;
    pending_attend(boottime_ns());
    pending_tell_untold();
    survey_when_due();
    collect();
    bool finishing = atomic_load(&channel.finishing);
    if (!send_batches())
        return false;
    if (finishing)
        return goodbye() && false;
    if (boottime_ns() - channel.counted_ns < TICK_MS * 1000000ull)
        return true;
    channel.counted_ns = boottime_ns();
    return tallies_tell();
}

static void *run(void *unused) {
    (void)unused;
    while (atomic_load(&launch_agent) == 0)
        futex_wait(&launch_agent, 0, -1);
    channel.hello.agent = atomic_load(&launch_agent);
    while (!atomic_load(&channel.finishing)) {
        pending_attend(boottime_ns());
        if (!connect_once())
            continue;
        while (serve_connection())
            ;
        drop_connection();
    }
    pending_refuse_all();
    atomic_store(&channel.finished, 1);
    futex_wake(&channel.finished);
    return NULL;
}

bool channel_start(const struct options *options, uint32_t mechanisms) {
    uint8_t key[16];
    if (strlen(options->socket) >= sizeof((struct sockaddr_un *)0)->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    channel.options = options;
    channel.hello = hello_of(options, mechanisms);
    connection_meanwhile(meanwhile);
    if (getrandom(channel.hello.secret, sizeof channel.hello.secret, 0) != sizeof channel.hello.secret ||
        getrandom(key, sizeof key, 0) != sizeof key)
        return false;
    sip_key(key);
    return queue_create() && thread_start(run, NULL);
}

void channel_finish(int status, long drain_ms) {
    bool reachable = atomic_load(&channel.connected);
    channel.status = status;
    if (reachable) /* what the container holds is told of a quick agent too */
        survey_wait(after_ms(drain_ms < SURVEY_END_MS ? (uint64_t)drain_ms : SURVEY_END_MS));
    atomic_store(&channel.finishing, 1);
    if (!reachable || queue_wake_fd() < 0)
        return;
    (void)!write(queue_wake_fd(), &(uint64_t){1}, sizeof(uint64_t));
    uint64_t until = after_ms((uint64_t)drain_ms);
    for (uint64_t now; !atomic_load(&channel.finished) && (now = boottime_ns()) < until;)
        futex_wait(&channel.finished, 0, (long)((until - now) / 1000000u) + 1);
}
