/* SPDX-License-Identifier: MIT */
/*
 * page_curve.c - the points of the run, and what lines had at each.
 *
 * A line's series is run-length encoded, since most lines have the same at most points: a negative
 * number -n repeats the value before it n times.
 */
#include "analyzer/html/page_data.h"
#include "analyzer/html/page.h"
#include "analyzer/base/mem.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/diff.h"
#include "analyzer/views/timeline.h"

#include <stdlib.h>

#define NUMBERS_KEPT 40000 /* of all series */
#define ROWS_AT_A_TIME 32

static void write_points(struct page_data *d, const struct timeline *t)
{
	struct json *j = &d->json;

	json_array(j, "points", true);
	for (size_t i = 0; i < t->count; i++) {
		const struct timeline_point *point = &t->points[i];

		json_array(j, NULL, true);
		json_unsigned(j, NULL, point->p.ns);
		json_unsigned(j, NULL, point->p.live_bytes);
		json_unsigned(j, NULL, point->p.live_blocks);
		json_unsigned(j, NULL, timeline_rss(point));
		if (point->p.kind == MT_POINT_MARK)
			json_unsigned(j, NULL, page_text(d, point->label));
		json_close(j);
	}
	json_close(j);
}

/* How many numbers it takes. */
static size_t write_series(struct json *j, const uint64_t *values, size_t count)
{
	size_t numbers = 0, repeated;

	json_array(j, NULL, true);
	for (size_t i = 0; i < count; i += repeated + 1) {
		json_unsigned(j, NULL, values[i]);
		numbers++;
		for (repeated = 0; i + repeated + 1 < count; repeated++)
			if (values[i + repeated + 1] != values[i])
				break;
		if (repeated) {
			json_signed(j, NULL, -(int64_t)repeated);
			numbers++;
		}
	}
	json_close(j);
	return numbers;
}

/* The largest rows, until there is no room for more: each its number and its series. */
static void write_lines(struct page_data *d, const struct timeline *t,
	const struct profile *profile, const uint32_t *numbers)
{
	size_t used = 0, left_out = 0;

	json_array(&d->json, "lines", true);
	for (size_t first = 0; first < t->row_count && used < NUMBERS_KEPT;
		first += ROWS_AT_A_TIME) {
		uint64_t *series = timeline_series(t, first, ROWS_AT_A_TIME);

		for (size_t i = 0; i < ROWS_AT_A_TIME && first + i < t->row_count; i++) {
			uint32_t number = numbers[t->rows[first + i].row - profile->rows];

			if (number == UINT32_MAX || used >= NUMBERS_KEPT) {
				left_out++;
				continue;
			}
			json_unsigned(&d->json, NULL, number);
			used += write_series(&d->json, series + i * t->count, t->count);
		}
		free(series);
	}
	json_close(&d->json);
	json_unsigned(&d->json, "left_out", left_out);
}

/* When and where the peak was reached. */
static void write_peak(struct page_data *d)
{
	const struct mt_header *h = &d->trace->header;
	struct frame_function owner;

	json_object(&d->json, "peak", true);
	json_known(&d->json, "ns", h->peak_ns);
	if (h->peak_site) {
		owner = resolve_owner(d->resolver, d->trace->site_info[h->peak_site].node);
		json_unsigned(&d->json, "frame", page_function(d, &owner));
		json_array(&d->json, "stack", true);
		page_stack(d, h->peak_site);
		json_close(&d->json);
	}
	json_close(&d->json);
}

/* The curve alone, of the trace that this one is compared with. */
static void write_old(struct page_data *d)
{
	const struct reading *r = &d->page->diff->traces[0].reading;
	struct profile *profile = profile_new(r->trace, r->resolver, BY_MODULE, false);
	struct timeline *t = timeline_new(r->trace, profile);

	json_object(&d->json, "old", true);
	write_points(d, t);
	json_known(&d->json, "ns", r->trace->header.peak_ns);
	json_unsigned(&d->json, "size", profile->totals.all.peak_bytes);
	json_close(&d->json);
	timeline_free(t);
	profile_free(profile);
}

void page_write_curve(struct page_data *d, const struct profile *profile, const struct timeline *t,
	const uint32_t *numbers)
{
	json_object(&d->json, "curve", true);
	json_text(&d->json, "missing", timeline_missing(d->trace));
	write_points(d, t);
	write_lines(d, t, profile, numbers);
	write_peak(d);
	if (d->page->diff)
		write_old(d);
	json_close(&d->json);
}
