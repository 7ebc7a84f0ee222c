/* SPDX-License-Identifier: MIT */
/* timeline.c - puts the points and shares of a trace in order, and adds the shares up by row. */
#include "analyzer/views/timeline.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
	const struct mt_point *x = &((const struct timeline_point *)a)->p;
	const struct mt_point *y = &((const struct timeline_point *)b)->p;

	return compare_numbers(x->number, y->number);
}

/* ---- the points */

/* What is live at the end of the trace; as exact as its totals. */
static struct timeline_point last_state(
	const struct trace *trace, const struct profile *profile, const struct mt_point *last)
{
	struct timeline_point point = { .label = "" };
	const struct measures *all = &profile->totals.all;

	(void)trace_run_time(trace, &point.p.ns);
	if (point.p.ns < last->ns)
		point.p.ns = last->ns;
	point.p.kind = MT_POINT_END;
	point.p.number = last->number;
	point.p.live_bytes = not_negative(all->current_bytes);
	point.p.live_blocks = not_negative(all->current_blocks);
	point.p.allocated_bytes = all->allocated_bytes;
	point.p.allocations = all->allocations;
	point.p.threads = last->threads;
	return point;
}

/* `index` gets the place of each point of the trace. */
static void order_points(struct timeline *t, const struct trace *trace,
	const struct profile *profile, uint32_t *index)
{
	uint64_t before = 0;

	t->points = mem_zalloc((size_t)trace->point_count + 1, sizeof(*t->points));
	for (uint32_t i = 0; i < trace->point_count; i++) {
		const struct mt_point *p = &trace->points[i];

		if (p->kind == MT_POINT_UNUSED)
			continue;
		t->points[t->count] = (struct timeline_point){ .p = *p, .first_part = i };
		t->points[t->count++].label =
			p->kind == MT_POINT_MARK ? trace_string(trace, p->label) : "";
	}
	qsort(t->points, t->count, sizeof(*t->points), by_number);
	for (size_t i = 0; i < t->count; i++) {
		index[t->points[i].first_part] = (uint32_t)i;
		if (t->points[i].p.ns < before)
			t->points[i].p.ns = before;
		before = t->points[i].p.ns;
	}
	if (t->count && t->points[t->count - 1].p.kind != MT_POINT_END) {
		t->points[t->count] = last_state(trace, profile, &t->points[t->count - 1].p);
		t->count++;
		t->has_last_state = true;
	}
}

/* ---- the shares */

struct entry {
	uint32_t point, row;
	uint64_t bytes;
};

static int by_point_and_row(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare_numbers(x->point, y->point);

	return order ? order : compare_numbers(x->row, y->row);
}

/* Shares of the same row at the same point become one; gives how many are left. */
static size_t add_up(struct entry *all, size_t count)
{
	size_t kept = 0;

	qsort(all, count, sizeof(*all), by_point_and_row);
	for (size_t i = 0; i < count; i++) {
		if (kept && by_point_and_row(&all[kept - 1], &all[i]) == 0)
			all[kept - 1].bytes += all[i].bytes;
		else
			all[kept++] = all[i];
	}
	return kept;
}

static void add_entry(
	struct entry *all, size_t *count, uint32_t point, uint32_t row, uint64_t bytes)
{
	if (row != UINT32_MAX)
		all[(*count)++] = (struct entry){ point, row, bytes };
}

/* In rows of the profile. A point that was made up has all of them. */
static struct entry *collect_shares(const struct timeline *t, const struct trace *trace,
	const struct profile *profile, const uint32_t *index, size_t *count)
{
	struct entry *all =
		mem_zalloc((size_t)trace->share_count + profile->row_count + 1, sizeof(*all));

	*count = 0;
	for (uint32_t i = 0; i < trace->share_count; i++) {
		const struct mt_share *s = &trace->shares[i];

		if (s->point && s->point <= trace->point_count && index[s->point - 1] != UINT32_MAX)
			add_entry(all, count, index[s->point - 1], profile->row_of_site[s->site],
				s->bytes);
	}
	for (size_t i = 0; t->has_last_state && i < profile->row_count; i++)
		if (profile->rows[i].m.current_bytes > 0)
			add_entry(all, count, (uint32_t)t->count - 1, (uint32_t)i,
				(uint64_t)profile->rows[i].m.current_bytes);
	*count = add_up(all, *count);
	return all;
}

static int by_most(const void *a, const void *b)
{
	const struct timeline_row *x = a, *y = b;
	int order = compare_numbers(y->most, x->most);

	return order ? order : compare_numbers((uintptr_t)x->row, (uintptr_t)y->row);
}

/* `place` gets the place of each of the profile's rows. */
static void order_rows(struct timeline *t, const struct profile *profile, const struct entry *all,
	size_t count, uint32_t *place)
{
	t->rows = mem_zalloc(profile->row_count + 1, sizeof(*t->rows));
	for (size_t i = 0; i < profile->row_count; i++)
		t->rows[i] = (struct timeline_row){ .row = &profile->rows[i],
			.most = profile->rows[i].m.at_peak_bytes };
	for (size_t i = 0; i < count; i++)
		if (all[i].bytes > t->rows[all[i].row].most)
			t->rows[all[i].row].most = all[i].bytes;
	qsort(t->rows, profile->row_count, sizeof(*t->rows), by_most);
	while (t->row_count < profile->row_count && t->rows[t->row_count].most)
		t->row_count++;
	for (size_t i = 0; i < profile->row_count; i++)
		place[t->rows[i].row - profile->rows] = (uint32_t)i;
}

static int by_bytes(const void *a, const void *b)
{
	const struct timeline_part *x = a, *y = b;
	int order = compare_numbers(y->bytes, x->bytes);

	return order ? order : compare_numbers(x->row, y->row);
}

/* Where each point's parts end, for now. */
static void order_parts(
	struct timeline *t, const struct entry *all, size_t count, const uint32_t *place)
{
	size_t next = 0;

	t->parts = mem_zalloc(count + 1, sizeof(*t->parts));
	for (size_t i = 0; i < t->count; i++) {
		struct timeline_point *point = &t->points[i];

		for (; next < count && all[next].point == i; next++)
			if (all[next].bytes)
				t->parts[t->part_count++] =
					(struct timeline_part){ place[all[next].row],
						all[next].bytes };
		point->first_part = t->part_count;
	}
}

static void close_parts(struct timeline *t)
{
	size_t start = 0;

	for (size_t i = 0; i < t->count; i++) {
		size_t end = t->points[i].first_part;

		t->points[i].first_part = start;
		t->points[i].part_count = end - start;
		qsort(t->parts + start, end - start, sizeof(*t->parts), by_bytes);
		start = end;
	}
}

/* ---- the whole */

uint64_t timeline_rss(const struct timeline_point *point)
{
	return point->p.rss_anonymous + point->p.rss_file;
}

static void find_most(struct timeline *t, const struct profile *profile)
{
	t->bytes_most = profile->totals.all.peak_bytes;
	for (size_t i = 0; i < t->count; i++) {
		uint64_t resident = timeline_rss(&t->points[i]);

		if (t->points[i].p.live_bytes > t->bytes_most)
			t->bytes_most = t->points[i].p.live_bytes;
		if (resident > t->rss_most)
			t->rss_most = resident;
	}
	t->end_ns = t->count ? t->points[t->count - 1].p.ns : 0;
}

struct timeline *timeline_new(const struct trace *trace, const struct profile *profile)
{
	struct timeline *t = mem_zalloc(1, sizeof(*t));
	uint32_t *index = mem_alloc(((size_t)trace->point_count + 1) * sizeof(*index));
	uint32_t *place = mem_zalloc(profile->row_count + 1, sizeof(*place));
	struct entry *all;
	size_t count;

	memset(index, 0xff, ((size_t)trace->point_count + 1) * sizeof(*index));
	order_points(t, trace, profile, index);
	all = collect_shares(t, trace, profile, index, &count);
	order_rows(t, profile, all, count, place);
	order_parts(t, all, count, place);
	close_parts(t);
	find_most(t, profile);
	free(all);
	free(place);
	free(index);
	return t;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	free(t->points);
	free(t->parts);
	free(t->rows);
	free(t);
}

uint64_t *timeline_series(const struct timeline *t, size_t first, size_t rows)
{
	uint64_t *all = mem_zalloc(rows * t->count + 1, sizeof(*all));

	for (size_t i = 0; i < t->count; i++) {
		const struct timeline_part *part = &t->parts[t->points[i].first_part];

		for (size_t k = 0; k < t->points[i].part_count; k++)
			if (part[k].row - first < rows)
				all[(part[k].row - first) * t->count + i] = part[k].bytes;
	}
	return all;
}

const char *timeline_missing(const struct trace *trace)
{
	if (trace->header.flags & MT_NOTE_MERGED && trace->process_count > 1)
		return "the sum of several processes has no timeline";
	for (uint32_t i = 0; i < trace->point_count; i++)
		if (trace->points[i].kind != MT_POINT_UNUSED)
			return NULL;
	if (trace->header.sample_bytes)
		return "sampled, which records no timeline";
	if (trace->header.version < 2)
		return "written by a version of libmtrace.so that recorded no timeline";
	return "no timeline was recorded (MTRACE_TIMELINE=0, or nothing was allocated)";
}
