/* Who made a call: thread group, parent and start time, from /proc. */
#ifndef INSCOPE_PROCESS_H
#define INSCOPE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid, tid, ppid;
    uint64_t start; /* clock ticks since boot; 0 where unreadable */
    uint64_t stack; /* where the stack of the present image starts: another after each exec */
};

/* What is known of the process of thread `tid`. Kept for 50 ms per thread id: no id can come round again that fast
 * (32,768 ids at 5 us each), so a kept answer is never another process's. One thread calls this. */
struct process process_of(pid_t tid, uint64_t now_ns);

/* The same without memory of older answers, for a process that has ended and is not reaped yet. Any thread. */
struct process process_read(pid_t tid);

/* Read anew and kept: before an exec, since the stack of the image before is what tells whether it happened. */
struct process process_refresh(pid_t tid, uint64_t now_ns);

/* Whether it is the agent, or came of it: every process of the agent has init among its ancestors, since orphans come to
 * init. One of another pid namespace has the number 0 here, and is not. */
bool process_descends(pid_t pid);

/* Whether the thread is in init's network namespace. */
bool process_shares_network(pid_t tid);

/* Whether the process is stopped by a signal now; also true of one that is there and cannot be read. */
bool process_is_stopped(pid_t pid);

/* Pick ppid, start and stack out of the text of /proc/PID/stat; false when it is not such a text. */
bool process_parse_stat(const char *text, size_t size, struct process *out);

/* Time since boot, suspended time included. */
uint64_t boottime_ns(void);

#endif
