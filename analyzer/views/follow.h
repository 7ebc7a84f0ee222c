/* SPDX-License-Identifier: MIT */
/*
 * follow.h - what a command watches, read again and again: one trace, a process and its descendants,
 * or the traces of a directory; and what was allocated from one reading to the next.
 *
 * Of one process it is that process's own trace; of several that live, their sum (merge.h). All of it
 * comes from the files: nothing is asked of a process, and none notices that it is watched.
 */
#ifndef MTRACER_FOLLOW_H
#define MTRACER_FOLLOW_H

#include "analyzer/views/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct follow {
	/* As of the last reading. The trace belongs to `follow`, and lives until the next one. */
	struct reading reading;
	uint32_t living;    /* processes whose trace is in it and that run */
	uint32_t ended;	    /* descendants that were in it and have ended since */
	bool over;	    /* nothing runs any more: this is how it ended */
	uint64_t rss_bytes; /* of those that live, else as the trace knows it; 0 = unknown */
	double lasted;	    /* seconds since the reading before; 0: there was none */

	/* Meanwhile. Of a process that came with its parent's counts, what it added. */
	uint64_t allocations, allocated_bytes;
	uint64_t *site_allocations; /* by site of the trace */
	uint64_t *lane_allocations; /* by lane */

	/* As of follow_mark(); 0 for what wasn't there. */
	int64_t *site_marked; /* current bytes by site */
	int64_t *lane_marked;

	/* Names of sites and lanes that stay the same from one reading to the next. */
	const uint64_t *site_names, *lane_names;

	struct follow_state *state;
};

/*
 * operand: as reading_trace(). With `family`, a process means its descendants too, as long as they
 * live. EXIT_OK, or an error's exit status; there is nothing to close then. The first reading is made.
 */
int follow_open(
	struct follow *f, const struct reading_options *options, const char *operand, bool family);

/* The same of a process's family, none of which need be traced yet: then there is no trace
 * (reading.trace is NULL). `pid` itself may be untraced. */
int follow_open_family(struct follow *f, const struct reading_options *options, uint32_t pid);
void follow_close(struct follow *f);

/* Reads again. What can't be read stays as it was. */
void follow_update(struct follow *f);

/* This file too, from now on: the trace of a process that came and went between two readings. */
void follow_add(struct follow *f, const char *path);

/* What is held now is what growth is measured from. */
void follow_mark(struct follow *f);

#endif
