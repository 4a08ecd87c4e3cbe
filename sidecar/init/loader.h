/* Where the dynamic loader looks for libraries: the default folders and the configuration of glibc and musl. */
#ifndef INSCOPE_LOADER_H
#define INSCOPE_LOADER_H

#include <stddef.h>

typedef void loader_visit(void *context, const char *folder);

/* Visit each folder that the loader of this machine's libraries would search. */
void loader_each_folder(loader_visit *visit, void *context);

/* The lines of one ld.so.conf: `visit` gets folders, `include` the patterns of include lines. Pure. */
void loader_parse(const char *text, loader_visit *visit, loader_visit *include, void *context);

#endif
