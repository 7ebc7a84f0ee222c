/*
 * merge.h - adds traces up to one: of forked workers, of processes of one service, of repeated
 * runs.
 *
 * What is the same code is one frame, wherever it was loaded: the same path and build-id of the
 * module, and the same place in it. Counters of equal call stacks are added. Each trace's threads
 * stay threads of their own. Peaks are added too: what all held at one time is no more than that
 * (MT_NOTE_MERGED).
 */
#ifndef MTRACER_MERGE_H
#define MTRACER_MERGE_H

#include <stdbool.h>
#include <stddef.h>

struct merge;
struct resolver;
struct trace;
struct trace_writer;

struct merge *merge_new(void);
void merge_free(struct merge *merge);

/* With a resolver, the symbols of what is new in this trace come along. */
void merge_add(struct merge *merge, const struct trace *trace, struct resolver *resolver);

/* The sum so far, as a trace; it belongs to the merge. */
struct trace_writer *merge_finish(struct merge *merge);

#endif
