/* An open as it was asked for: what was copied out of the caller, and its record. */
#ifndef INSCOPE_OPEN_REQUEST_H
#define INSCOPE_OPEN_REQUEST_H

#include "memory.h"
#include "path.h"
#include "patterns.h"
#include "trap.h"

struct open_request {
    int folder;
    uint64_t flags;
    enum text_outcome outcome;
    size_t length, absolute_length;
    char path[PATH_TEXT];
    char absolute[PATH_JOINED]; /* empty: its folder is unreadable */
};

/* Copy the path and make it absolute by text. */
void open_request_read(const struct trap *t, uint64_t path, struct open_request *out);

enum access_kind open_request_access(const struct open_request *o);

/* Whether the path as it was given matches a pattern. */
bool open_request_matches(const struct open_request *o);

/* Queue the record. `real` is what the file is called, empty where that is the name that was given, or unknown. */
void open_request_report(struct trap *t, const struct open_request *o, const struct inscope_open *body, const char *real,
                         unsigned flags);

#endif
