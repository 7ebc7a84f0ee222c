/* SPDX-License-Identifier: MIT */
/*
 * gather.h - several traces read as one: those that are named, or all in a directory. One is in
 * memory at a time, and the sum has no symbols yet but those that came along: so each module is
 * symbolized once, however many processes had it.
 */
#ifndef MTRACER_GATHER_H
#define MTRACER_GATHER_H

#include <stdbool.h>
#include <stddef.h>

struct trace;

bool is_directory(const char *path);

/* Whether there is a trace in a directory. */
bool holds_traces(const char *path);

/*
 * All traces directly in a directory; what is something else is passed over, and a warning counts
 * traces that can't be read. A single one is itself, not a sum. NULL after one error line.
 */
struct trace *gather_directory(const char *path);

/* The paths of what a directory has for traces, in order; NULL after one error line. The caller frees
 * them and the list. */
char **gather_list(const char *path, size_t *count);

/* The sum of these files' and directories' traces, called `name`. NULL after one error line. */
struct trace *gather_paths(char **paths, int count, const char *name);

#endif
