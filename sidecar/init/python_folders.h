/* Folders of installed Python packages, next to each Python that the agent can find. */
#ifndef INSCOPE_PYTHON_FOLDERS_H
#define INSCOPE_PYTHON_FOLDERS_H

#include "options.h"

/* Visit each site-packages and dist-packages folder: beside the folders of PATH, of VIRTUAL_ENV, of the command. */
void python_folders_each(const struct options *options, void (*visit)(void *context, const char *folder),
                         void *context);

#endif
