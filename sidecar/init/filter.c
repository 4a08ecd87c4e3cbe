#include "filter.h"

#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kernel.h"
#include "openflags.h"

#define TRAP(call, filter, a, b, decoder) {__NR_##call, #call, FILTER_##filter, a, b, DECODE_##decoder},
const struct trap_rule trap_rules[] = {
#include "syscalls.def"
};
#undef TRAP
const size_t trap_rule_count = sizeof trap_rules / sizeof *trap_rules;

enum { CALLS_MAX = 512 };

enum decoder decoder_of(int nr) {
    static uint8_t decoders[CALLS_MAX];
    if (decoders[__NR_execve] == DECODE_NONE)
        for (size_t i = 0; i < trap_rule_count; i++)
            if (trap_rules[i].nr >= 0 && trap_rules[i].nr < CALLS_MAX)
                decoders[trap_rules[i].nr] = (uint8_t)trap_rules[i].decoder;
    return nr >= 0 && nr < CALLS_MAX ? (enum decoder)decoders[nr] : DECODE_NONE;
}

struct program {
    struct sock_filter *at;
    size_t count;
    bool fits;
    struct filter_levels levels;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
    p->fits = p->fits && p->count < FILTER_INSTRUCTIONS_MAX;
    if (p->fits)
        p->at[p->count++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *p, size_t offset) { emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }

/* Both machines are little-endian: the low half of an argument comes first. */
static size_t low(int argument) { return offsetof(struct seccomp_data, args) + 8 * (size_t)argument; }
static size_t high(int argument) { return low(argument) + 4; }

static void mask(struct program *p, uint32_t bits) { emit(p, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0); }
static void jump_equal(struct program *p, uint32_t value, uint8_t yes, uint8_t no) {
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}
static void jump_set(struct program *p, uint32_t bits, uint8_t yes, uint8_t no) {
    emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, yes, no);
}
static void notify(struct program *p) { emit(p, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0); }
static void allow(struct program *p) { emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
static void answer(struct program *p, int notified) { notified ? notify(p) : allow(p); }

static void test_mask(struct program *p, const struct trap_rule *rule) {
    load(p, low(rule->a));
    jump_set(p, rule->b, 0, 1);
    notify(p);
    allow(p);
}

/* sendto: an address is given (either half of the pointer), or the data travels with the handshake. */
static void test_nonzero(struct program *p, const struct trap_rule *rule) {
    load(p, low(rule->a));
    jump_equal(p, 0, 0, 4);
    load(p, high(rule->a));
    jump_equal(p, 0, 0, 2);
    load(p, low((int)rule->b));
    jump_set(p, MSG_FASTOPEN_FLAG, 0, 1);
    notify(p);
    allow(p);
}

/* A folder opened as a folder gives no content away, so only the level `all` asks for it. O_TMPFILE contains
 * O_DIRECTORY but also asks to write, and is caught by the first test. */
static void test_open_flags(struct program *p, const struct trap_rule *rule) {
    int reads = p->levels.reads != INSCOPE_OFF, writes = p->levels.writes != INSCOPE_OFF;
    if (rule->a < 0) {
        answer(p, rule->a == -2 ? writes : reads || writes);
        return;
    }
    load(p, low(rule->a));
    jump_set(p, OPEN_WRITE_FLAGS, 0, 1);
    answer(p, writes);
    jump_set(p, p->levels.reads == INSCOPE_ALL ? 0 : O_DIRECTORY, 0, 1);
    allow(p);
    answer(p, reads);
}

/* Streams of the internet families show at connect, unix and netlink sockets at theirs; datagrams may send with an
 * address that no filter can see (sendmsg), and other protocols may connect by other calls, so their creation is what is
 * reported. */
static void test_socket(struct program *p, const struct trap_rule *rule) {
    if (p->levels.sockets) {
        notify(p);
        return;
    }
    load(p, low(0));
    jump_equal(p, AF_UNIX, 11, 0);
    jump_equal(p, AF_NETLINK, 10, 0);
    jump_equal(p, AF_INET, 1, 0);
    jump_equal(p, AF_INET6, 0, 7);
    load(p, low(1));
    mask(p, 0xf);
    jump_equal(p, SOCK_STREAM, 0, 4);
    load(p, low(rule->a));
    jump_equal(p, 0, 3, 0);
    jump_equal(p, IPPROTO_TCP, 2, 0);
    jump_equal(p, FILTER_MPTCP, 1, 0);
    notify(p);
    allow(p);
}

static void test_prctl(struct program *p) {
    load(p, low(0));
    jump_equal(p, PR_SET_MM, 4, 0);
    jump_equal(p, PR_SET_SECCOMP, 3, 0);
    jump_equal(p, PR_SET_DUMPABLE, 0, 3);
    load(p, low(1));
    jump_equal(p, 0, 0, 1);
    notify(p);
    allow(p);
}

static void test_personality(struct program *p) {
    load(p, low(0));
    jump_equal(p, 0xffffffffu, 2, 0);
    jump_set(p, READ_IMPLIES_EXEC_FLAG, 0, 1);
    notify(p);
    allow(p);
}

/* Signal 0 asks whether a process is there, and SIGURG, by which Go's threads interrupt each other thousands of times a
 * second, ends nobody. Nor do real-time signals end the guard, which blocks them. */
static void test_signal(struct program *p, const struct trap_rule *rule) {
    load(p, low(rule->a));
    jump_equal(p, 0, 3, 0);
    jump_equal(p, SIGURG, 2, 0);
    emit(p, BPF_JMP | BPF_JGE | BPF_K, rule->b ? rule->b : UINT32_MAX, 1, 0);
    notify(p);
    allow(p);
}

/* fcntl(F_SETSIG): any signal may be sent in the name of a descriptor. The two that are meant for it, and those of
 * real time, pass. */
static void test_sigio(struct program *p) {
    load(p, low(1));
    jump_equal(p, F_SETSIG_COMMAND, 0, 5);
    load(p, low(2));
    jump_equal(p, 0, 3, 0);
    jump_equal(p, SIGIO, 2, 0);
    emit(p, BPF_JMP | BPF_JGE | BPF_K, FIRST_FREE_SIGNAL, 1, 0);
    notify(p);
    allow(p);
}

static void test_arguments(struct program *p, const struct trap_rule *rule) {
    switch (rule->filter) {
    case FILTER_ALWAYS: notify(p); break;
    case FILTER_MASK: test_mask(p, rule); break;
    case FILTER_NONZERO: test_nonzero(p, rule); break;
    case FILTER_OPENFLAGS: test_open_flags(p, rule); break;
    case FILTER_SOCKET: test_socket(p, rule); break;
    case FILTER_PRCTL: test_prctl(p); break;
    case FILTER_PERSONALITY: test_personality(p); break;
    case FILTER_SIGNAL: test_signal(p, rule); break;
    case FILTER_SIGIO: test_sigio(p); break;
    }
}

/* `JEQ nr, fall through, over the block`: the block's length is known once it is written. */
static void emit_rule(struct program *p, const struct trap_rule *rule) {
    size_t head = p->count;
    jump_equal(p, (uint32_t)rule->nr, 0, 0);
    test_arguments(p, rule);
    size_t block = p->count - head - 1;
    p->fits = p->fits && block <= UINT8_MAX;
    if (p->fits)
        p->at[head].jf = (uint8_t)block;
}

size_t filter_build(struct sock_filter out[FILTER_INSTRUCTIONS_MAX], struct filter_levels levels) {
    struct program p = {out, 0, true, levels};
    load(&p, offsetof(struct seccomp_data, arch));
    jump_equal(&p, NATIVE_AUDIT_ARCH, 1, 0);
    notify(&p);
    load(&p, offsetof(struct seccomp_data, nr));
    if (FOREIGN_NUMBER_BIT) {
        jump_set(&p, FOREIGN_NUMBER_BIT, 0, 1);
        notify(&p);
    }
    for (size_t i = 0; i < trap_rule_count; i++)
        if (trap_rules[i].nr >= 0)
            emit_rule(&p, &trap_rules[i]);
    allow(&p);
    return p.fits ? p.count : 0;
}
