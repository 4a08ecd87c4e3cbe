#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "counters.h"
#include "file_set.h"
#include "gate_loaders.h"
#include "gate_sight.h"
#include "gate_table.h"
#include "gate_tell.h"
#include "gate_watchdog.h"
#include "image.h"
#include "known.h"
#include "pending.h"
#include "sip.h"
#include "stance.h"
#include "trap.h"

/* An exec that takes longer than LEAVE_MS has mostly failed: its thread is asked to stop, which does an exec that is
 * still under way no harm. Others of its process wait for SIBLING_MS at most. */
enum { LEAVE_MS = 20, SIBLING_MS = 250 };

static int wake = -1;

bool gate_start(void) {
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake >= 0 && gate_watchdog_start();
}

int gate_wake_fd(void) { return wake; }

static void ring(void) { (void)!write(wake, &(uint64_t){1}, sizeof(uint64_t)); }

void gate_exec(struct plan *plan) {
    if (gate_table_add(plan, boottime_ns())) {
        ring();
        return;
    }
    count(&counters.expired);
    plan_drop(plan);
    plan_answer(plan, -EACCES);
}

/* A thread that is gone, or runs, stays as it is. */
static void detach(pid_t tid, int signal) { ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signal); }

static bool older(const struct gated *g, uint64_t now_ns, uint64_t ms) { return now_ns - g->since_ns >= ms * 1000000u; }

/* A sibling's exec ends this thread, or fails. To trace in the midst of it could be waiting for ourselves. */
static bool may_begin(const struct gated *g, uint64_t now_ns) {
    for (struct gated *o = NULL; (o = gate_table_next(o));)
        if (o != g && o->plan.who.pid == g->plan.who.pid && o->plan.who.tid != g->plan.who.tid &&
            (o->state == GATED_WAITING ? o->order < g->order : !older(o, now_ns, SIBLING_MS)))
            return false;
    return true;
}

static bool trace(const struct gated *g) {
    long options = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (g->traced)
        return true;
    gate_watchdog_begin(g->plan.who.pid);
    bool traced = ptrace(PTRACE_SEIZE, g->plan.who.tid, NULL, (void *)options) == 0;
    gate_watchdog_end();
    return traced;
}

static void leave(struct gated *g, uint64_t now_ns) {
    gate_table_become(g, GATED_LEAVING, now_ns);
    if (ptrace(PTRACE_INTERRUPT, g->plan.who.tid, NULL, NULL) < 0)
        gate_table_remove(g); /* it is gone, or another thread's by now */
}

/* Where init enforces no more, what waits goes on untraced. */
static void begin(struct gated *g, uint64_t now_ns) {
    if (!stance_enforces()) {
        plan_let_go_on(&g->plan);
        gate_table_remove(g);
        return;
    }
    if (!trace(g)) {
        plan_answer(&g->plan, -EACCES);
        gate_table_remove(g);
        return;
    }
    gate_table_become(g, GATED_LET_GO, now_ns);
    if (!plan_let_go_on(&g->plan))
        leave(g, now_ns);
}

static void let_run(struct gated *g) {
    detach(g->plan.who.tid, 0);
    gate_table_remove(g);
}

static void end(struct gated *g) {
    kill(g->plan.who.pid, SIGKILL);
    gate_table_remove(g);
}

/* Something else than was judged: it dies, unless it may do what it likes by now. */
static void mismatch(struct gated *g) {
    bool enforced = stance_enforces();
    gate_tell_image(&g->plan, 0, INSCOPE_MISMATCH | (enforced ? INSCOPE_DENIED : 0));
    enforced ? end(g) : let_run(g);
}

/* Too many are held already. What it became is told as refused: nobody swapped anything. */
static void refuse_unasked(struct gated *g) {
    gate_tell_image(&g->plan, 0, INSCOPE_DENIED);
    end(g);
}

static void decided(struct plan *plan, enum gated_verdict verdict) {
    if (gate_table_decide(plan->id, verdict))
        ring();
}

static void allowed(struct plan *plan) { decided(plan, VERDICT_ALLOWED); }

static void refused(struct plan *plan, int error) {
    (void)error;
    decided(plan, VERDICT_REFUSED);
}

/* No notification has this number: it is not the next of any. */
static uint64_t new_ask(const struct gated *g) {
    const uint64_t words[] = {g->plan.id, g->order, g->plan.who.start};
    return sip_words(words, sizeof words / sizeof *words);
}

static bool hold(struct gated *g, unsigned verdicts, uint64_t now_ns) {
    g->ask = new_ask(g);
    struct plan plan = {
        .id = g->ask, .who = g->plan.who, .nr = g->plan.nr, .carry_out = allowed, .refuse = refused, .fd = -1};
    gate_table_become(g, GATED_ASKING, now_ns);
    return pending_hold(&plan, verdicts, now_ns);
}

/* What the kernel loaded besides the image. */
struct loader {
    bool any, known;
    int path_fd;
    uint64_t key;
    struct inscope_file file;
};

static bool loader_is_known(const struct plan *exec, struct loader *l, uint64_t now_ns) {
    uint64_t facts[FILE_FACTS];
    struct trap t = {.actor = exec->of.exec.actor};
    trap_file_facts(&l->file, facts);
    l->key = trap_key(&t, INSCOPE_LOAD, facts, FILE_FACTS);
    if (!l->file.writable && l->key) { /* asked once by this key, it goes on when there is nobody to ask */
        bool known = known_holds(l->key, NULL);
        if (known)
            known_count(l->key);
        return known;
    }
    return gate_loader_accepted(&l->file, now_ns);
}

static struct loader loader_of(const struct plan *exec, const struct sight *s, uint64_t now_ns) {
    struct loader l = {.any = s->loader != 0, .path_fd = -1};
    if (!l.any)
        return l;
    l.path_fd = gate_sight_open_loader(exec->who.pid, s->loader);
    struct image image = image_of(l.path_fd, exec->nr);
    l.file = image.file;
    l.file.writable = l.path_fd < 0 || image_writable(l.path_fd, l.file.owner);
    l.known = l.path_fd >= 0 && loader_is_known(exec, &l, now_ns);
    return l;
}

/* The image's content could be written until a moment ago, or it is the interpreter of the script that was judged. */
static void ask(struct gated *g, bool image, const struct loader *loader, uint64_t now_ns) {
    bool told = loader->any && !loader->known;
    if (!hold(g, (unsigned)image + told, now_ns)) {
        count(&counters.expired);
        refuse_unasked(g);
        return;
    }
    if (image)
        gate_tell_image(&g->plan, g->ask, 0);
    if (told)
        gate_tell_loader(&g->plan, g->ask, loader->key, loader->path_fd, &loader->file);
    if (told && loader->path_fd >= 0)
        g->loader = loader->file;
}

static void may_be_code(const struct inscope_file *file) {
    file_set_add(&code_files, &(struct file_identity){file->device, file->inode, 0});
}

static void on_exec(struct gated *g, uint64_t now_ns) {
    struct plan *exec = &g->plan;
    struct sight s = gate_sight(exec->who.pid, exec->of.exec.interpreted);
    bool same = gate_sight_is(&s, &exec->of.exec.file), interpreted = exec->of.exec.interpreted;
    bool as_judged = s.readable && (same || (interpreted && s.name == exec->of.exec.name));
    if (!as_judged) {
        mismatch(g);
        return;
    }
    struct loader loader = loader_of(exec, &s, now_ns);
    if (loader.known)
        may_be_code(&loader.file);
    bool image = !same || exec->of.exec.file.writable;
    if (!image && (!loader.any || loader.known))
        let_run(g);
    else
        ask(g, image, &loader, now_ns);
    if (loader.path_fd >= 0)
        close(loader.path_fd);
}

/* An exec ends all other threads, whatever they were about. */
static void forget_siblings(const struct gated *g) {
    for (struct gated *o = NULL; (o = gate_table_next(o));)
        if (o != g && o->plan.who.pid == g->plan.who.pid)
            gate_table_remove(o);
}

/* Whoever was let go into the exec has the id of the process's first thread by now. */
static struct gated *of_exec(pid_t tid) {
    unsigned long former = 0;
    ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former);
    struct gated *g = gate_table_find((pid_t)former);
    if (!g)
        return NULL;
    g->plan.who.tid = tid;
    forget_siblings(g);
    return g;
}

static void stopped_at_exec(pid_t tid, uint64_t now_ns) {
    struct gated *g = of_exec(tid);
    if (g)
        on_exec(g, now_ns);
    else if (stance_enforces()) /* nobody judged this one */
        kill(tid, SIGKILL);
    else
        detach(tid, 0);
}

/* A stop that is not the exec's: the thread is on its way back from a failed one, or will call again. */
void gate_stopped(pid_t tid, int code, uint64_t now_ns) {
    int event = code >> 8;
    if (event == PTRACE_EVENT_EXEC) {
        stopped_at_exec(tid, now_ns);
        return;
    }
    detach(tid, event ? 0 : code);
    gate_ended(tid);
}

void gate_ended(pid_t tid) {
    for (struct gated *g = NULL; (g = gate_table_next(g));)
        if (g->plan.who.tid == tid && g->state == GATED_WAITING)
            g->traced = false;
        else if (g->plan.who.tid == tid)
            gate_table_remove(g);
}

static void conclude(struct gated *g, uint64_t now_ns) {
    enum gated_verdict verdict = gate_table_verdict(g);
    if (verdict == VERDICT_ALLOWED && g->loader.inode) {
        gate_loader_accept(&g->loader, now_ns);
        may_be_code(&g->loader);
    }
    if (verdict == VERDICT_ALLOWED || (verdict == VERDICT_REFUSED && !stance_enforces()))
        let_run(g);
    else if (verdict == VERDICT_REFUSED)
        end(g);
}

/* Who calls again is not in the exec any more that it was let go into, and is traced already. */
static void take_over(struct gated *g) {
    struct gated *before = gate_table_find(g->plan.who.tid);
    if (!before || before->state == GATED_ASKING) /* such a one is stopped, and calls nothing */
        return;
    g->traced = true;
    gate_table_remove(before);
}

void gate_serve(bool woken, uint64_t now_ns) {
    uint64_t rings;
    if (woken)
        (void)!read(wake, &rings, sizeof rings);
    for (struct gated *g = NULL; (g = gate_table_next(g));)
        if (g->state == GATED_WAITING)
            take_over(g);
    for (struct gated *g = NULL; (g = gate_table_next(g));) {
        if (g->state == GATED_WAITING && may_begin(g, now_ns))
            begin(g, now_ns);
        else if (g->state == GATED_LET_GO && older(g, now_ns, LEAVE_MS))
            leave(g, now_ns);
        else if (g->state == GATED_ASKING)
            conclude(g, now_ns);
    }
}

int gate_due_ms(uint64_t now_ns, int most) {
    int due = most;
    for (struct gated *g = NULL; (g = gate_table_next(g));) {
        if (g->state != GATED_LET_GO && g->state != GATED_WAITING)
            continue;
        uint64_t waited = (now_ns - g->since_ns) / 1000000u;
        int left = waited < LEAVE_MS ? LEAVE_MS - (int)waited : g->state == GATED_WAITING ? LEAVE_MS : 0;
        if (due < 0 || left < due)
            due = left;
    }
    return due;
}
