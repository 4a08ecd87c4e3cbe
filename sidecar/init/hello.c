#include "hello.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "path.h"
#include "version.h"

struct hello hello_of(const struct options *options, uint32_t mechanisms) {
    return (struct hello){.options = options, .mechanisms = mechanisms};
}

static uint64_t realtime_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void append(struct message *m, const char *text) { message_text(m, text, strlen(text), INSCOPE_PATH_MAX); }

static void append_strings(struct message *m, char **command) {
    char folder[PATH_TEXT] = "";
    const char *path = getenv("PATH");
    append(m, INSCOPE_INIT_VERSION);
    append(m, getcwd(folder, sizeof folder) ? folder : "");
    append(m, path ? path : "");
    for (size_t i = 0; command[i] && i < INSCOPE_ARGV_ITEMS_MAX; i++)
        append(m, command[i]);
}

void hello_write(struct message *m, const struct hello *hello) {
    struct process self = process_read(getpid());
    struct inscope_hello body = {.magic = INSCOPE_MAGIC,
                                 .version = INSCOPE_PROTOCOL_VERSION,
                                 .machine = NATIVE_ELF_MACHINE,
                                 .mechanisms = hello->mechanisms,
                                 .pid = getpid(),
                                 .agent = hello->agent,
                                 .uid = getuid(),
                                 .reads = (uint16_t)hello->options->reads,
                                 .writes = (uint16_t)hello->options->writes};
    memcpy(body.secret, hello->secret, sizeof body.secret);
    uint64_t now = boottime_ns();
    body.realtime_ns = realtime_ns();
    message_begin(m, INSCOPE_HELLO, &self, now);
    message_body(m, &body, sizeof body);
    append_strings(m, hello->options->command);
}
