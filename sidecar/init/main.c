/* inscope-init: runs a command under observation. See options.c for its use, protocol.h for what it reports. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "exit_status.h"
#include "front.h"
#include "inherited.h"
#include "link.h"
#include "options.h"
#include "supervise.h"
#include "version.h"

static int give_up(const char *what) {
    fprintf(stderr, "inscope-init: %s: %s\n", what, strerror(errno));
    return STATUS_FAILED;
}

static int run_alone(const struct options *options) {
    const struct stand_in none = {.link = -1};
    int failed, status = supervise(options, &none, &failed);
    if (failed)
        return failed;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_behind(const struct options *options, const struct stand_in *front) {
    int failed, status = supervise(options, front, &failed);
    link_send(front->link, failed ? LINK_FAILED : LINK_ENDED, failed ? failed : status);
    return 0;
}

static int run_with_front(const struct options *options) {
    int ends[2];
    struct stand_in front = {.pid = getpid(), .shell = getppid()};
    if (!link_pair(ends))
        return give_up("cannot make a socket pair");
    pid_t supervisor = fork();
    if (supervisor < 0)
        return give_up("cannot start the supervising process");
    close(ends[supervisor == 0 ? 0 : 1]);
    front.link = ends[1];
    if (supervisor == 0)
        return run_behind(options, &front);
    front_run(ends[0], supervisor);
}

static int run(const struct options *options) {
    inherited_take();
    if (!inherited_has_room()) {
        fprintf(stderr, "inscope-init: it needs a limit of %d open files or more (ulimit -Hn)\n", INHERITED_FILES_MIN);
        return STATUS_FAILED;
    }
    return options->front ? run_with_front(options) : run_alone(options);
}

int main(int argc, char **argv) {
    struct options options = options_parse(argc, argv);
    switch (options.action) {
    case ACTION_RUN: return run(&options);
    case ACTION_CHECK: return check_print();
    case ACTION_VERSION: printf("inscope-init %s %s\n", INSCOPE_INIT_VERSION, INSCOPE_BUILD); return 0;
    case ACTION_HELP: fputs(options_help, stdout); return 0;
    case ACTION_MISUSED: return STATUS_FAILED;
    }
    return STATUS_FAILED;
}
