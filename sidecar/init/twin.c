#define _GNU_SOURCE
#include "twin.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "let_go.h"

enum { CONNECTED_KEPT = 1024, MISSES_MAX = 2, PATH_ROOM = 320, LINK_ROOM = 48 };

struct twin {
    uint64_t inode;
    int fd;
    uint8_t misses;
    bool given, seen; /* seen: by the sweep under way */
};

static struct {
    pthread_mutex_t lock, sweeping;
    struct twin all[TWINS_MAX];
    size_t count, after_sweep;
    uint64_t connected[CONNECTED_KEPT];
} twins = {.lock = PTHREAD_MUTEX_INITIALIZER, .sweeping = PTHREAD_MUTEX_INITIALIZER};

static struct twin *find(uint64_t inode) {
    for (struct twin *t = twins.all; t < twins.all + twins.count; t++)
        if (t->inode == inode)
            return t;
    return NULL;
}

static void drop(struct twin *t) {
    let_go(t->fd);
    *t = twins.all[--twins.count];
}

static bool connected(const struct twin *t) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int type = 0;
    socklen_t room = sizeof type;
    getsockopt(t->fd, SOL_SOCKET, SO_TYPE, &type, &room);
    return type != SOCK_DGRAM && type != SOCK_RAW && getpeername(t->fd, (struct sockaddr *)&peer, &size) == 0;
}

static bool settle(struct twin *t) {
    if (!connected(t))
        return false;
    twins.connected[t->inode % CONNECTED_KEPT] = t->inode;
    drop(t);
    return true;
}

/* A number that comes round again is another socket's. */
bool twin_keep(uint64_t inode, int fd) {
    pthread_mutex_lock(&twins.lock);
    bool room = twins.count < TWINS_MAX;
    if (room)
        twins.all[twins.count++] = (struct twin){.inode = inode, .fd = fd};
    if (twins.connected[inode % CONNECTED_KEPT] == inode)
        twins.connected[inode % CONNECTED_KEPT] = 0;
    pthread_mutex_unlock(&twins.lock);
    return room;
}

void twin_given(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    struct twin *t = find(inode);
    if (t)
        t->given = t->seen = true;
    pthread_mutex_unlock(&twins.lock);
}

int twin_own(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    const struct twin *t = find(inode);
    int fd = t ? fcntl(t->fd, F_DUPFD_CLOEXEC, 0) : -1;
    pthread_mutex_unlock(&twins.lock);
    return fd;
}

void twin_drop(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    struct twin *t = find(inode);
    if (t)
        drop(t);
    pthread_mutex_unlock(&twins.lock);
}

bool twin_settle(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    struct twin *t = find(inode);
    bool gone = !t || settle(t);
    pthread_mutex_unlock(&twins.lock);
    return gone;
}

void twin_watch(uint64_t inode, int poll, uint64_t number) {
    struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.u64 = number};
    pthread_mutex_lock(&twins.lock);
    const struct twin *t = find(inode);
    if (t && epoll_ctl(poll, EPOLL_CTL_ADD, t->fd, &event) < 0)
        epoll_ctl(poll, EPOLL_CTL_MOD, t->fd, &event);
    pthread_mutex_unlock(&twins.lock);
}

bool twin_was_connected(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    bool was = inode && twins.connected[inode % CONNECTED_KEPT] == inode;
    pthread_mutex_unlock(&twins.lock);
    return was;
}

bool twin_are_many(void) {
    pthread_mutex_lock(&twins.lock);
    bool many = twins.count >= twins.after_sweep + TWINS_MANY;
    pthread_mutex_unlock(&twins.lock);
    return many;
}

size_t twin_count(void) {
    pthread_mutex_lock(&twins.lock);
    size_t count = twins.count;
    pthread_mutex_unlock(&twins.lock);
    return count;
}

/* Those that are not given yet count as seen: they are about to be. */
static void begin(void) {
    pthread_mutex_lock(&twins.lock);
    for (size_t i = 0; i < twins.count; i++)
        twins.all[i].seen = !twins.all[i].given;
    pthread_mutex_unlock(&twins.lock);
}

static void mark(uint64_t inode) {
    pthread_mutex_lock(&twins.lock);
    struct twin *t = find(inode);
    if (t)
        t->seen = true;
    pthread_mutex_unlock(&twins.lock);
}

static void end(void) {
    pthread_mutex_lock(&twins.lock);
    for (size_t i = twins.count; i-- > 0;) {
        struct twin *t = &twins.all[i];
        t->misses = t->seen ? 0 : (uint8_t)(t->misses + 1);
        if (t->misses >= MISSES_MAX)
            drop(t);
        else
            settle(t);
    }
    twins.after_sweep = twins.count;
    pthread_mutex_unlock(&twins.lock);
}

static void mark_open(const char *files) {
    DIR *folder = opendir(files);
    if (!folder)
        return;
    char text[LINK_ROOM];
    unsigned long inode;
    for (struct dirent *e; (e = readdir(folder));) {
        ssize_t n = e->d_name[0] == '.' ? -1 : readlinkat(dirfd(folder), e->d_name, text, sizeof text - 1);
        text[n < 0 ? 0 : n] = 0;
        if (sscanf(text, "socket:[%lu]", &inode) == 1)
            mark(inode);
    }
    closedir(folder);
}

/* Each thread, because it may have a table of files of its own. */
static void mark_process(const char *pid) {
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *threads = opendir(path);
    if (!threads)
        return;
    for (struct dirent *e; (e = readdir(threads));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/fd", pid, e->d_name);
        mark_open(path);
    }
    closedir(threads);
}

void twin_sweep(void) {
    DIR *processes = opendir("/proc");
    if (!processes)
        return;
    pthread_mutex_lock(&twins.sweeping);
    begin();
    for (struct dirent *e; (e = readdir(processes));)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && atoi(e->d_name) != getpid())
            mark_process(e->d_name);
    end();
    pthread_mutex_unlock(&twins.sweeping);
    closedir(processes);
}
