/*
 * newest.h - the trace that is meant where none is named.
 */
#ifndef MTRACER_NEWEST_H
#define MTRACER_NEWEST_H

#include <stdbool.h>

/* The name of the newest *.mtrace in the working directory that is a trace, told on stderr. NULL
 * where there is none. The caller frees it. */
char *newest_trace(void);

/* Whether the file begins as traces do, packed ones too. */
bool is_trace_file(const char *path);

/* The same without packed ones, which begin like anything that zstd made. */
bool is_plain_trace_file(const char *path);

/* Whether an operand that could be a trace or something else means a trace: it is one, is named
 * like one, or is a directory with some. */
bool means_trace(const char *operand);

#endif
