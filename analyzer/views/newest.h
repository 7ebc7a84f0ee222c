/* SPDX-License-Identifier: MIT */
/*
 * newest.h - the trace that is meant where none is named.
 */
#ifndef MTRACER_NEWEST_H
#define MTRACER_NEWEST_H

#include <stdbool.h>

/* The name of the newest *.mtrace in the working directory that is a trace, told on stderr; where
 * there is none, of one that can't be opened. NULL: no such file. The caller frees it. */
char *newest_trace(void);

/* Whether an operand that could also be a function or a source file means a trace: names_trace(), a
 * directory with traces, the number of a process, any other file that is there, and what has a slash; but
 * nothing that is named like a source file. A moment may be behind each of them. */
bool means_trace(const char *operand);

#endif
