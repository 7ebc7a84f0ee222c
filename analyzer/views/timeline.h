/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - the points of a trace in their order, and what the rows of a profile had at each.
 */
#ifndef MTRACER_TIMELINE_H
#define MTRACER_TIMELINE_H

#include "analyzer/views/profile.h"
#include "analyzer/trace/trace.h"

/* What a row had at a point: of the sites that the point knows, the larger ones. */
struct timeline_part {
	uint32_t row; /* in the timeline's rows */
	uint64_t bytes;
};

struct timeline_point {
	struct mt_point p;
	const char *label; /* of a mark, else "" */
	size_t first_part; /* in parts; largest first */
	size_t part_count;
};

struct timeline_row {
	const struct row *row; /* of the profile */
	uint64_t most;	       /* bytes, at any point and at the peak */
};

struct timeline {
	struct timeline_point *points; /* by time */
	size_t count;
	bool has_last_state; /* the last point was made of the trace's totals */
	struct timeline_part *parts;
	size_t part_count;
	struct timeline_row *rows; /* that are in any point, or in the peak; the largest first */
	size_t row_count;
	uint64_t rss_most, bytes_most, end_ns;
};

/* Of a profile by anything but threads, not cumulative, whose rows aren't sorted; it must outlive
 * the timeline. A trace that has no end of its own gets its last state as a point. */
struct timeline *timeline_new(const struct trace *trace, const struct profile *profile);
void timeline_free(struct timeline *t);

/* What so many rows, from the first on, had at each point: rows * count numbers, a row after the
 * other. The caller frees it. */
uint64_t *timeline_series(const struct timeline *t, size_t first, size_t rows);

uint64_t timeline_rss(const struct timeline_point *point); /* bytes; 0 = unknown */

/* Why there is none; NULL: there is one. */
const char *timeline_missing(const struct trace *trace);

#endif
