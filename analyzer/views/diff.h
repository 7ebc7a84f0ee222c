/* SPDX-License-Identifier: MIT */
/*
 * diff.h - what changed between two runs, or between several runs on each side: rows whose code is
 * the same on both sides (match.h), with the measures of each.
 */
#ifndef MTRACER_DIFF_H
#define MTRACER_DIFF_H

#include "analyzer/trace/measures.h"
#include "analyzer/views/profile.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/tally.h"

enum diff_side { DIFF_OLD, DIFF_NEW, DIFF_SIDES };

#define DIFF_MEASURES SORT_NAME /* the measures of enum sort_key before it */

/* One measure on both sides: medians, where a side has several traces. */
struct diff_value {
	int64_t old, new, delta;
	int64_t spread; /* the larger of the sides' distances between lowest and highest */
	bool changed;	/* by more than the spread */
	bool unknown;	/* at the moment of one of the traces; then all is 0 */
};

enum diff_status { DIFF_SAME, DIFF_GREW, DIFF_SHRANK, DIFF_APPEARED, DIFF_GONE };

/* Where a row is, on one side. Texts belong to the resolvers. */
struct diff_location {
	bool known; /* it has been seen on this side */
	const char *function, *file, *module;
	const char *shown; /* the file, human-readable: its name on the new side, if it has one */
	uint32_t line;	   /* 0 = unknown, or of no meaning for the rows */
	uint64_t offset;
	bool has_offset;
};

struct diff_row {
	uint64_t key;
	uint32_t kind; /* MT_KIND_* */
	struct diff_location locations[DIFF_SIDES];
	struct diff_value values[DIFF_MEASURES];
	bool peak_is_exact;	      /* on both sides */
	uint32_t trace, site;	      /* one that has the row's stack, for rows by site */
	struct tally_sum *sums;	      /* by trace */
	uint64_t weights[DIFF_SIDES]; /* of the sites that gave the locations */
};

struct diff_trace {
	struct reading reading;
	enum diff_side side;
	struct tally tally;
	struct code *code;
	uint32_t *points; /* identities, by point of the code */
};

struct diff {
	enum profile_by by;
	struct diff_trace *traces; /* old ones first */
	size_t trace_count, old_count;
	struct diff_value totals[DIFF_MEASURES];
	int64_t peak_error; /* bytes that the peaks may be off by */
	/* A trace whose peaks were reset, and one whose weren't: peaks of different stretches of
	 * the run. NULL where all are of one kind. */
	const struct trace *reset, *whole;
	bool one_process;      /* all traces are of it, so their code is the same */
	bool moments;	       /* a trace is the state of another moment than its end */
	struct diff_row *rows; /* that differ in some measure, in no order */
	size_t row_count;
};

/* The traces must be open; they belong to the caller. */
struct diff *diff_new(struct diff_trace *traces, size_t count, enum profile_by by);
void diff_free(struct diff *diff);

/* The location to show: of the new side, where it has the row. */
const struct diff_location *diff_location(const struct diff_row *row);

/* Whether a measure means the same in all traces. */
bool diff_is_comparable(const struct diff *diff, enum sort_key measure);

/* What became of a row in one measure. */
enum diff_status diff_status(const struct diff_row *row, enum sort_key measure);
extern const char *const diff_status_names[];

/* By the size of the change in one measure, largest first. */
void diff_sort(struct diff *diff, enum sort_key measure);

/* delta as a percentage of old; false where old is 0. */
bool diff_percent(const struct diff_value *value, double *percent);

#endif
