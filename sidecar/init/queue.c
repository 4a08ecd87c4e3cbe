#define _GNU_SOURCE
#include "queue.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "counters.h"

enum { ALIGNMENT = 8, HALF = QUEUE_BYTES / 2 };

struct slot {
    uint32_t bytes; /* of the message; SKIP: nothing more before the ring's end; with TAKEN_BACK: not to be sent */
    int32_t fd;
};
enum { SKIP = 0 };

#define TAKEN_BACK 0x80000000u

static struct {
    pthread_mutex_t lock;
    size_t head, tail, used; /* written at head, read at tail; `used` counts skipped bytes too */
    int fds;
    bool connected, asleep, urgent;
    int wake;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1};

/* Apart from what has initial values, so that it is no part of the program file. */
static _Alignas(ALIGNMENT) uint8_t ring[QUEUE_BYTES];

struct counters counters;

bool queue_create(void) {
    queue.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return queue.wake >= 0;
}

int queue_wake_fd(void) { return queue.wake; }

static size_t slot_bytes(size_t message) {
    return (sizeof(struct slot) + message + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Where `bytes` in a row fit, or QUEUE_BYTES. Skipping the ring's end costs the skipped bytes. */
static size_t place_for(size_t bytes) {
    size_t to_end = QUEUE_BYTES - queue.head;
    if (to_end >= bytes)
        return queue.used + bytes <= QUEUE_BYTES ? queue.head : QUEUE_BYTES;
    return queue.used + to_end + bytes <= QUEUE_BYTES ? 0 : QUEUE_BYTES;
}

static void skip_to_start(void) {
    memcpy(ring + queue.head, &(struct slot){SKIP, -1}, sizeof(struct slot));
    queue.used += QUEUE_BYTES - queue.head;
    queue.head = 0;
}

static uint64_t lost(void) {
    return atomic_load_explicit(&counters.lost_queue, memory_order_relaxed) +
           atomic_load_explicit(&counters.lost_away, memory_order_relaxed);
}

static bool put(struct message *m) {
    size_t bytes = slot_bytes(m->size), place = queue.wake < 0 ? QUEUE_BYTES : place_for(bytes);
    if (place == QUEUE_BYTES) {
        count(queue.connected ? &counters.lost_queue : &counters.lost_away);
        return false;
    }
    if (place != queue.head)
        skip_to_start();
    message_seal(m, lost());
    memcpy(ring + place, &(struct slot){(uint32_t)m->size, m->fd}, sizeof(struct slot));
    memcpy(ring + place + sizeof(struct slot), m->bytes, m->size);
    queue.head = (place + bytes) % QUEUE_BYTES;
    queue.used += bytes;
    queue.fds += m->fd >= 0;
    queue.urgent = queue.urgent || message_asks(m);
    count(&counters.records);
    return true;
}

/* The sender sleeps a few milliseconds between packets, so a record only wakes it from its long sleep, or at half full. */
static bool must_wake(size_t before) {
    bool wake = queue.asleep || queue.urgent || (before < HALF && queue.used >= HALF);
    queue.asleep = false;
    return wake;
}

bool queue_push(struct message *m) {
    pthread_mutex_lock(&queue.lock);
    size_t before = queue.used;
    bool stored = put(m);
    bool wake = stored && must_wake(before);
    pthread_mutex_unlock(&queue.lock);
    if (wake)
        (void)!write(queue.wake, &(uint64_t){1}, sizeof(uint64_t));
    if (!stored && m->fd >= 0)
        close(m->fd);
    m->fd = -1;
    return stored;
}

bool queue_takes_fd(void) {
    pthread_mutex_lock(&queue.lock);
    bool takes = queue.wake >= 0 && queue.fds < QUEUE_FDS_MAX;
    pthread_mutex_unlock(&queue.lock);
    return takes;
}

bool queue_has_room(void) {
    pthread_mutex_lock(&queue.lock);
    bool room = queue.used < HALF;
    pthread_mutex_unlock(&queue.lock);
    return room;
}

bool queue_is_urgent(void) {
    pthread_mutex_lock(&queue.lock);
    bool urgent = queue.urgent;
    pthread_mutex_unlock(&queue.lock);
    return urgent;
}

bool queue_is_empty(void) {
    pthread_mutex_lock(&queue.lock);
    bool empty = queue.used == 0;
    pthread_mutex_unlock(&queue.lock);
    return empty;
}

void queue_connected(bool connected) {
    pthread_mutex_lock(&queue.lock);
    queue.connected = connected;
    pthread_mutex_unlock(&queue.lock);
}

static bool add_to(struct batch *batch, struct slot slot, uint8_t *bytes) {
    bool full = batch->count == BATCH_MESSAGES_MAX || batch->bytes + slot.bytes > INSCOPE_PACKET_MAX ||
                (slot.fd >= 0 && batch->fd_count == INSCOPE_FDS_MAX);
    if (full)
        return false;
    batch->parts[batch->count++] = (struct iovec){bytes, slot.bytes};
    batch->bytes += slot.bytes;
    if (slot.fd >= 0)
        batch->fds[batch->fd_count++] = slot.fd;
    return true;
}

static size_t bytes_of(struct slot slot, size_t at) {
    return slot.bytes == SKIP ? QUEUE_BYTES - at : slot_bytes(slot.bytes & ~TAKEN_BACK);
}

static struct slot slot_at(size_t at) {
    struct slot slot;
    memcpy(&slot, ring + at, sizeof slot);
    return slot;
}

static void take_back(size_t at, struct slot slot) {
    struct inscope_head head;
    memcpy(&head, ring + at + sizeof slot, sizeof head);
    if (head.ask == 0)
        return;
    if (slot.fd >= 0) {
        close(slot.fd);
        queue.fds--;
    }
    memcpy(ring + at, &(struct slot){slot.bytes | TAKEN_BACK, -1}, sizeof slot);
}

void queue_take_back_asks(void) {
    pthread_mutex_lock(&queue.lock);
    size_t at = queue.tail, left = queue.used;
    while (left > 0) {
        struct slot slot = slot_at(at);
        size_t bytes = bytes_of(slot, at);
        if (slot.bytes != SKIP && !(slot.bytes & TAKEN_BACK))
            take_back(at, slot);
        at = (at + bytes) % QUEUE_BYTES;
        left -= bytes;
    }
    pthread_mutex_unlock(&queue.lock);
}

static void release(const struct batch *batch) {
    queue.used -= batch->passed;
    queue.tail = batch->end;
    if (queue.used == 0) /* starting over keeps the untouched part of the ring out of memory */
        queue.head = queue.tail = 0;
    queue.fds -= (int)batch->fd_count;
}

void queue_batch(struct batch *batch) {
    batch->count = batch->fd_count = batch->bytes = 0;
    pthread_mutex_lock(&queue.lock);
    queue.urgent = false;
    size_t at = queue.tail, left = queue.used;
    while (left > 0) {
        struct slot slot = slot_at(at);
        bool sent = slot.bytes != SKIP && !(slot.bytes & TAKEN_BACK);
        if (sent && !add_to(batch, slot, ring + at + sizeof slot))
            break;
        left -= bytes_of(slot, at);
        at = (at + bytes_of(slot, at)) % QUEUE_BYTES;
    }
    batch->end = at;
    batch->passed = queue.used - left;
    if (batch->count == 0)
        release(batch);
    pthread_mutex_unlock(&queue.lock);
}

void queue_release(const struct batch *batch) {
    for (size_t i = 0; i < batch->fd_count; i++)
        close(batch->fds[i]);
    pthread_mutex_lock(&queue.lock);
    release(batch);
    pthread_mutex_unlock(&queue.lock);
}

bool queue_sleep(void) {
    pthread_mutex_lock(&queue.lock);
    queue.asleep = queue.used == 0;
    bool sleeps = queue.asleep;
    pthread_mutex_unlock(&queue.lock);
    return sleeps;
}

void queue_awake(void) {
    uint64_t count;
    (void)!read(queue.wake, &count, sizeof count);
    pthread_mutex_lock(&queue.lock);
    queue.asleep = false;
    pthread_mutex_unlock(&queue.lock);
}
