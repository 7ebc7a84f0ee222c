/*
 * newest.h - the trace that is meant where none is named.
 */
#ifndef MTRACER_NEWEST_H
#define MTRACER_NEWEST_H

#include <stdbool.h>

/* The name of the newest *.mtrace in the working directory that is a trace, told on stderr; where
 * there is none, of one that can't be opened. NULL: no such file. The caller frees it. */
char *newest_trace(void);

/* Whether the file begins as traces do, packed ones too. */
bool is_trace_file(const char *path);

/* The same without packed ones, which begin like anything that zstd made. */
bool is_plain_trace_file(const char *path);

/* Whether a word that could also be an expression can only be a trace: it is one, or is named like
 * one, whether it exists or not. */
bool names_trace(const char *word);

/* The same of an operand that could be a function or a source file, too: also a directory with
 * traces, any other file that is there, and what has a slash; but nothing that is named like a
 * source file. */
bool means_trace(const char *operand);

#endif
