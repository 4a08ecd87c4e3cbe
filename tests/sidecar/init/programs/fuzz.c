/* SEED MILLISECONDS: feed every parser of hostile bytes with random and nearly right input, and check its laws. Inputs lie
 * in allocations of exactly their size, so that ASan sees one byte too many. Ends by abort() where a law is broken. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counters.h"
#include "folders.h"
#include "incoming.h"
#include "known.h"
#include "loader.h"
#include "mapping.h"
#include "memory.h"
#include "message.h"
#include "path.h"
#include "patterns.h"
#include "process.h"
#include "queue.h"
#include "socket.h"

static uint64_t state;

static uint64_t next(void) { /* xorshift64*: Marsaglia, Vigna */
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

static size_t below(size_t bound) { return bound ? next() % bound : 0; }

static void check(int holds, const char *law) {
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", law);
    abort();
}

static uint8_t *bytes(size_t size) {
    uint8_t *out = malloc(size ? size : 1);
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)next();
    return out;
}

/* Text of a few characters that mean something to the parser. */
static char *text(const char *alphabet, size_t size) {
    char *out = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        out[i] = below(40) ? alphabet[below(strlen(alphabet))] : (char)(1 + below(255));
    out[size] = 0;
    return out;
}

static size_t put(uint8_t *at, const void *data, size_t size) {
    memcpy(at, data, size);
    return size;
}

/* A list of patterns as the sidecar would write it. */
static size_t write_patterns(uint8_t *at, uint32_t count) {
    static const char matches[] = "PSNIWX";
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t length = (uint16_t)(2 + below(6));
        size += put(at + size, &length, sizeof length);
        at[size++] = (uint8_t)matches[below(200) ? below(5) : 5];
        for (int j = 1; j < length; j++)
            at[size++] = (uint8_t) "/.ab"[below(4)];
    }
    return size;
}

static size_t write_message(uint8_t *at) {
    static const uint16_t kinds[] = {INSCOPE_WELCOME, INSCOPE_REFUSED, INSCOPE_PATTERNS,
                                     INSCOPE_EXEC,    INSCOPE_ACTOR,   INSCOPE_KNOWN};
    struct inscope_head head = {.kind = kinds[below(6)]};
    size_t size = sizeof head;
    if (head.kind == INSCOPE_WELCOME) {
        struct inscope_welcome body = {INSCOPE_MAGIC, INSCOPE_PROTOCOL_VERSION, (uint16_t)below(3)};
        size += put(at + size, &body, sizeof body);
    } else if (head.kind == INSCOPE_PATTERNS) {
        struct inscope_patterns body = {(uint32_t)below(20)};
        size += put(at + size, &body, sizeof body);
        size += write_patterns(at + size, body.count);
    } else if (head.kind == INSCOPE_ACTOR) {
        struct inscope_actor body = {next(), below(9), below(3), (int32_t)below(5) - 1};
        size += put(at + size, &body, sizeof body);
    } else if (head.kind == INSCOPE_KNOWN) {
        struct inscope_known body = {(uint32_t)below(3), (uint16_t)below(2), (uint16_t)below(9)};
        size += put(at + size, &body, sizeof body) + body.count * sizeof(struct inscope_known_act);
    } else
        size += below(30);
    head.size = (uint32_t)size;
    put(at, &head, sizeof head);
    return size;
}

static void read_message(const struct incoming *in) {
    struct inscope_welcome welcome;
    char reason[16];
    incoming_welcome(in, &welcome);
    if (in->kind == INSCOPE_PATTERNS)
        incoming_patterns(in);
    if (in->kind == INSCOPE_ACTOR)
        incoming_actor(in);
    if (in->kind == INSCOPE_KNOWN)
        incoming_known(in);
    incoming_reason(in, reason, sizeof reason);
    for (char *c = reason; *c; c++)
        check(*c >= ' ' && *c < 127, "a reason is printable");
}

static void fuzz_incoming(void) {
    static uint8_t packet[8192];
    size_t size = 0;
    for (size_t i = below(4); i > 0; i--)
        size += write_message(packet + size);
    size += below(3) ? 0 : below(60);
    for (size_t i = below(3) ? 0 : below(6); i > 0 && size; i--)
        packet[below(size)] = (uint8_t)next();
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, packet, size);
    const uint8_t *at = exact;
    size_t left = size;
    struct incoming in;
    while (incoming_next(&at, &left, &in) == INCOMING_MESSAGE)
        read_message(&in);
    check(left <= size, "no more is left than there was");
    free(exact);
}

static void learn_some(uint32_t generations, uint64_t keys) {
    struct inscope_known body = {(uint32_t)below(generations), (uint16_t)below(2), (uint16_t)below(2000)};
    struct inscope_known_act *acts = calloc(body.count + 1u, sizeof *acts);
    for (size_t i = 0; i < body.count; i++)
        acts[i] = (struct inscope_known_act){below(keys), below(9)};
    check(known_learn(&body, (uint8_t *)acts, body.count * sizeof *acts), "what is well formed is taken");
    check(!known_learn(&body, (uint8_t *)acts, body.count * sizeof *acts + 1), "what is not is not");
    free(acts);
}

/* Sets come, change places and are forgotten, and all that was counted is told, or said to be lost. */
static void fuzz_known(void) {
    static struct inscope_repeat taken[INSCOPE_KNOWN_MAX];
    static uint64_t made, told;
    uint64_t lost = counters.lost_away, keys = below(3) ? 20000 : 50;
    learn_some(1 + (uint32_t)below(4), keys);
    for (size_t i = below(3000); i > 0; i--) {
        uint64_t key = below(keys), actor = 99;
        if (!known_holds(key, &actor))
            continue;
        check(key != 0 && actor != 99, "nothing has no key, and what is known says what runs then");
        known_count(key);
        made++;
    }
    for (size_t i = 0, count = known_take_repeats(taken, below(INSCOPE_KNOWN_MAX)); i < count; i++) {
        check(taken[i].key && taken[i].times, "a count is of something");
        told += taken[i].times;
    }
    if (below(8) == 0) {
        check(told + known_forget() == made, "what was counted is told or given back");
        check(known_take_repeats(taken, 1) == 0 && !known_holds(1 + below(keys), NULL), "and forgotten");
        told = made;
    }
    check(counters.lost_away == lost, "nothing that is known goes uncounted");
}

static int naive(char match, const char *t, const char *path, int writing) {
    size_t size = strlen(t), length = strlen(path);
    int ends = size <= length && strcmp(path + length - size, t) == 0;
    switch (match) {
    case 'P': return strncmp(path, t, size) == 0;
    case 'S': return ends;
    case 'N': return ends && (length == size || path[length - size - 1] == '/');
    case 'I': return strstr(path, t) != NULL;
    default: return writing && ends;
    }
}

static void fuzz_patterns(void) {
    char *t = text("/.ab", 1 + below(4)), *path = text("/.ab", 1 + below(12)), match = "PSNIW"[below(5)];
    size_t size = strlen(t);
    uint16_t length = (uint16_t)(size + 1);
    uint8_t *tail = malloc(2 + length);
    put(tail, &length, 2);
    tail[2] = (uint8_t)match;
    memcpy(tail + 3, t, size);
    check(patterns_replace(tail, 2u + length, 1), "a good list is taken");
    for (int writing = 0; writing < 2; writing++)
        check(patterns_match(path, strlen(path), writing ? ACCESS_WRITE : ACCESS_READ) ==
                  (naive(match, t, path, writing) != 0),
              "a match is what the words say");
    check(!patterns_replace(tail, 1u + length, 1), "a list that is cut is refused");
    free(tail), free(t), free(path);
}

static void fuzz_paths(void) {
    char out[PATH_JOINED], again[PATH_JOINED];
    char *folder = text("/./../a", below(below(9) ? 30 : PATH_TEXT)), *name = text("/../.ab", below(below(9) ? 30 : PATH_TEXT));
    size_t length = path_absolute(folder, name, out);
    check(length == strlen(out) && length < sizeof out, "the length is the text's");
    check(out[0] == '/' && path_is_plain(out), "it is absolute and folded");
    check(path_absolute("", out, again) == length && strcmp(out, again) == 0, "folding twice changes nothing");
    if (path_is_plain(name))
        check(path_absolute("", name, again) == strlen(name) && strcmp(name, again) == 0, "plain stays as it is");
    free(folder), free(name);
}

static void fuzz_proc(void) {
    char *stat = text("0123456789 () S", below(400)), *line = text("0123456789abcdef- rxp/\n:", below(200));
    struct process who = {0};
    struct mapping *mapping = malloc(sizeof *mapping);
    process_parse_stat(stat, strlen(stat), &who);
    mapping_parse(line, mapping);
    free(stat), free(line), free(mapping);
}

static void ignore(void *context, const char *folder) {
    check(context != NULL && folder != NULL, "a folder is named");
}

static void fuzz_loader(void) {
    static const char *const lines[] = {"include /etc/ld.so.conf.d/*.conf\n", "/usr/lib # c\n", "\tinclude\t\n", "#\n", "\r\n"};
    char *conf = text("/ab \t#\ninclude,", below(200));
    int context;
    loader_parse(conf, ignore, ignore, &context);
    loader_parse(lines[below(5)], ignore, ignore, &context);
    folders_each(conf, ignore, &context);
    free(conf);
}

static void fuzz_address(void) {
    size_t size = below(160);
    uint8_t *raw = bytes(size);
    if (size >= 2 && below(4)) {
        raw[0] = (uint8_t[]){0, 1, 2, 10}[below(4)];
        raw[1] = 0;
    }
    struct inscope_address *body = calloc(1, sizeof *body);
    socket_name(raw, size, body);
    check(body->length <= sizeof body->address, "an address fits");
    char *protocol = text("TCPv6", below(8));
    socket_protocol(protocol, body);
    free(raw), free(body), free(protocol);
}

static void fuzz_message(void) {
    static struct message m;
    struct process who = {1, 2, 3, 4, 5};
    message_begin(&m, INSCOPE_EXEC, &who, next());
    for (size_t i = below(200); i > 0; i--) {
        size_t length = below(below(10) ? 300 : 20000);
        uint8_t *t = bytes(length);
        message_text(&m, (const char *)t, length, below(20000));
        free(t);
    }
    message_seal(&m, next());
    check(m.size <= sizeof m.bytes, "a message stays within its bounds");
    size_t at = sizeof(struct inscope_head);
    while (at < m.size) {
        uint16_t length;
        memcpy(&length, m.bytes + at, sizeof length);
        at += sizeof length + length;
    }
    check(at == m.size, "the strings fill it");
}

/* Pushed in order, taken in order, nothing twice; what did not fit was said not to. */
static void fuzz_queue(void) {
    static struct message m;
    static struct batch batch;
    static uint64_t pushed, taken;
    static uint64_t expected[65536];
    for (size_t i = below(60); i > 0; i--) {
        message_begin(&m, INSCOPE_OPEN, NULL, pushed);
        m.size += below(below(8) ? 200 : sizeof m.bytes - m.size);
        expected[pushed % 65536] = pushed;
        pushed += queue_push(&m);
    }
    for (size_t i = below(4); i > 0; i--) {
        queue_batch(&batch);
        check(batch.bytes <= INSCOPE_PACKET_MAX && batch.fd_count <= INSCOPE_FDS_MAX, "a packet is bounded");
        for (size_t j = 0; j < batch.count; j++) {
            struct inscope_head head;
            memcpy(&head, batch.parts[j].iov_base, sizeof head);
            check(head.size == batch.parts[j].iov_len, "a message is whole");
            check(head.time_ns == expected[taken % 65536], "messages come in order");
            taken++;
        }
        if (batch.count)
            queue_release(&batch);
        else
            check(taken == pushed && queue_is_empty(), "all that was stored comes out");
    }
}

/* Strings at every distance from the end of memory. */
static void fuzz_memory(void) {
    static char *pages;
    char out[600];
    size_t length, room = 1 + below(sizeof out - 1), from_end = 1 + below(700);
    if (!pages) {
        pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(pages + 2 * 4096, 4096);
    }
    char *at = pages + 2 * 4096 - from_end;
    memset(at, 'x', from_end);
    size_t end = below(from_end + 1);
    if (end < from_end)
        at[end] = 0;
    enum text_outcome outcome = memory_text(getpid(), (uint64_t)(uintptr_t)at, out, room, &length);
    check(length < room && out[length] == 0 && strspn(out, "x") == length, "the copy is a string that fits");
    if (end < from_end)
        check(outcome == (end < room ? TEXT_WHOLE : TEXT_CUT) && length == (end < room ? end : room - 1), "all of it");
    else
        check(outcome == (from_end >= room ? TEXT_CUT : TEXT_UNREADABLE), "what has no end is not whole");
}

int main(int count, char **arguments) {
    static void (*const targets[])(void) = {fuzz_incoming, fuzz_patterns, fuzz_paths, fuzz_proc,  fuzz_loader,
                                            fuzz_address,  fuzz_message,  fuzz_queue, fuzz_memory,   fuzz_known};
    if (count != 3 || !queue_create())
        return 2;
    state = strtoull(arguments[1], NULL, 10) | 1;
    uint64_t until = boottime_ns() + strtoull(arguments[2], NULL, 10) * 1000000u, runs = 0;
    for (; boottime_ns() < until; runs++)
        targets[runs % (sizeof targets / sizeof *targets)]();
    printf("%llu runs\n", (unsigned long long)runs);
    return 0;
}
