#ifndef INSCOPE_VERSION_H
#define INSCOPE_VERSION_H

#define INSCOPE_INIT_VERSION "0.1.0" /* as in pyproject.toml; a test compares them */

/* A hash of the sources, given by the build, by which it knows a binary that is up to date. */
#ifndef INSCOPE_BUILD
#define INSCOPE_BUILD "unversioned"
#endif

#endif
