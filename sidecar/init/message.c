#include "message.h"

#include <string.h>

static struct inscope_head *head_of(struct message *m) { return (struct inscope_head *)(void *)m->bytes; }

void message_begin(struct message *m, enum inscope_kind kind, const struct process *who, uint64_t time_ns) {
    struct inscope_head head = {.kind = (uint16_t)kind, .time_ns = time_ns};
    if (who) {
        head.start = who->start;
        head.pid = who->pid;
        head.tid = who->tid;
        head.ppid = who->ppid;
    }
    m->fd = -1;
    m->size = sizeof head;
    memcpy(m->bytes, &head, sizeof head);
}

void message_body(struct message *m, const void *body, size_t size) {
    memcpy(m->bytes + m->size, body, size);
    m->size += size;
}

void message_set_body(struct message *m, const void *body, size_t size) {
    memcpy(m->bytes + sizeof(struct inscope_head), body, size);
}

void message_key(struct message *m, uint64_t key) { head_of(m)->key = key; }

void message_ask(struct message *m, uint64_t ask) { head_of(m)->ask = ask; }

uint64_t message_asks(const struct message *m) {
    struct inscope_head head;
    memcpy(&head, m->bytes, sizeof head);
    return head.ask;
}

void message_flag(struct message *m, enum inscope_flag flag) {
    struct inscope_head *head = head_of(m);
    head->flags = (uint16_t)(head->flags | flag);
}

void message_text(struct message *m, const char *text, size_t length, size_t most) {
    size_t room = sizeof m->bytes - m->size;
    if (room < sizeof(uint16_t)) {
        message_flag(m, INSCOPE_TRUNCATED);
        return;
    }
    if (most > room - sizeof(uint16_t))
        most = room - sizeof(uint16_t);
    if (length > most) {
        length = most;
        message_flag(m, INSCOPE_TRUNCATED);
    }
    uint16_t size = (uint16_t)length;
    memcpy(m->bytes + m->size, &size, sizeof size);
    memcpy(m->bytes + m->size + sizeof size, text, length);
    m->size += sizeof size + length;
}

void message_attach(struct message *m, int fd) {
    m->fd = fd;
    message_flag(m, INSCOPE_HAS_FD);
}

void message_detach(struct message *m) {
    m->fd = -1;
    head_of(m)->flags = (uint16_t)(head_of(m)->flags & ~(unsigned)INSCOPE_HAS_FD);
}

void message_seal(struct message *m, uint64_t lost) {
    struct inscope_head *head = head_of(m);
    head->size = (uint32_t)m->size;
    head->lost = lost;
}
