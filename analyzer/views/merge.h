/* SPDX-License-Identifier: MIT */
/*
 * merge.h - adds traces up to one: of forked workers, of processes of one service, of repeated
 * runs.
 *
 * What is the same code is one frame, wherever it was loaded: the same path and build-id of the
 * module, and the same location in it. Counters of equal call stacks are added. Each trace's
 * threads stay threads of their own. Peaks are added too: what all held at one time is no more than
 * that (MT_NOTE_MERGED).
 */
#ifndef MTRACER_MERGE_H
#define MTRACER_MERGE_H

#include <stdbool.h>
#include <stddef.h>

struct merge;
struct trace;

struct merge *merge_new(void);
void merge_free(struct merge *merge);

void merge_add(struct merge *merge, const struct trace *trace);

/* The sum, with the symbols that its parts brought along; `name` is what its path says. NULL on
 * failure, as trace_open(). Nothing is added afterwards. */
struct trace *merge_finish(struct merge *merge, const char *name, char *error, size_t error_size);

#endif
