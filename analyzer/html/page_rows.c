/* SPDX-License-Identifier: MIT */
/*
 * page_rows.c - the rows of reports, by each grouping: the largest of each, and the sum of the others.
 */
#include "analyzer/html/page_data.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/timeline.h"

#include <stdlib.h>

#define ROWS_KEPT 2000

enum { ROW_EXACT = 1, ROW_MMAP = 2, ROW_SHARED = 4 };

struct rows {
	struct page_data *d;
	const struct profile *profile;
	struct page_values *values;
	double *shares;
	uint32_t *kept;
	size_t kept_count;
};

static void find_values(struct rows *r)
{
	const struct profile *p = r->profile;

	for (size_t i = 0; i < p->row_count; i++)
		page_values_add(&r->values[i], &p->rows[i].m, 0);
	for (uint32_t i = 0; p->row_of_site && i < r->d->tally.count; i++) {
		uint32_t site = r->d->tally.order[i];

		if (p->row_of_site[site] != UINT32_MAX)
			r->values[p->row_of_site[site]].v[PAGE_LOST] += (int64_t)r->d->lost[site];
	}
	for (size_t i = 0; i < p->row_count; i++)
		r->shares[i] = page_share(r->d, &r->values[i]);
}

/* What a line had at some moment makes it worth a row, too. */
static void add_moments(struct rows *r, const struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->row_count; i++) {
		size_t row = (size_t)(timeline->rows[i].row - r->profile->rows);
		double share = timeline->bytes_most ? (double)timeline->rows[i].most /
							      (double)timeline->bytes_most
						    : 0;

		if (share > r->shares[row])
			r->shares[row] = share;
	}
}

static void write_name(struct rows *r, const struct row *row)
{
	struct page_data *d = r->d;
	struct json *j = &d->json;

	if (r->profile->by == BY_THREAD) {
		const struct mt_lane *lane = &d->trace->lanes[row->lane];

		json_unsigned(j, NULL, page_text(d, lane->name[0] ? lane->name : NULL));
		json_unsigned(j, NULL, lane->tid);
		json_unsigned(j, NULL, lane->threads);
		json_unsigned(j, NULL, 0);
		return;
	}
	json_unsigned(j, NULL, page_text(d, row->function));
	json_unsigned(j, NULL, page_text(d, row->file));
	json_unsigned(j, NULL, row->line);
	json_unsigned(j, NULL, page_text(d, row->module));
}

static void write_row(struct rows *r, size_t index)
{
	const struct row *row = &r->profile->rows[index];
	struct json *j = &r->d->json;

	json_array(j, NULL, true);
	write_name(r, row);
	json_unsigned(j, NULL,
		(row->m.peak_is_exact ? ROW_EXACT : 0) |
			(row->kind == MT_KIND_MMAP ? ROW_MMAP : 0) |
			(row->more_functions ? ROW_SHARED : 0));
	page_values_write(&r->values[index], j);
	if (row->has_offset)
		json_unsigned(j, NULL, row->offset);
	json_close(j);
}

/* Of the rows that aren't kept. */
static void write_rest(struct rows *r)
{
	struct page_values rest = { { 0 } };
	struct json *j = &r->d->json;
	size_t next = 0;

	for (size_t i = 0; i < r->profile->row_count; i++) {
		if (next < r->kept_count && r->kept[next] == i)
			next++;
		else
			page_values_sum(&rest, &r->values[i]);
	}
	json_array(j, "rest", true);
	json_unsigned(j, NULL, r->profile->row_count - r->kept_count);
	page_values_write(&rest, j);
	json_close(j);
}

static void write_kept(struct rows *r)
{
	struct json *j = &r->d->json;

	json_object(j, profile_by_names[r->profile->by], true);
	json_array(j, "rows", true);
	for (size_t i = 0; i < r->kept_count; i++)
		write_row(r, r->kept[i]);
	json_close(j);
	write_rest(r);
	json_close(j);
}

static uint32_t *number_rows(const struct rows *r)
{
	uint32_t *numbers = mem_alloc((r->profile->row_count + 1) * sizeof(*numbers));
	size_t next = 0;

	for (uint32_t i = 0; i < r->profile->row_count; i++) {
		bool kept = next < r->kept_count && r->kept[next] == i;

		numbers[i] = kept ? (uint32_t)next++ : UINT32_MAX;
	}
	return numbers;
}

static void write_grouping(struct page_data *d, enum profile_by by)
{
	struct profile *profile = profile_new(d->trace, d->resolver, by, false);
	struct timeline *timeline = by == BY_LINE ? timeline_new(d->trace, profile) : NULL;
	struct rows r = { .d = d, .profile = profile };
	uint32_t *numbers;

	r.values = mem_zalloc(profile->row_count + 1, sizeof(*r.values));
	r.shares = mem_zalloc(profile->row_count + 1, sizeof(*r.shares));
	find_values(&r);
	if (timeline)
		add_moments(&r, timeline);
	r.kept = page_largest(r.shares, profile->row_count, ROWS_KEPT, &r.kept_count);
	write_kept(&r);
	if (timeline) {
		numbers = number_rows(&r);
		page_write_curve(d, profile, timeline, numbers);
		free(numbers);
	}
	free(r.values);
	free(r.shares);
	free(r.kept);
	timeline_free(timeline);
	profile_free(profile);
}

void page_write_rows(struct page_data *d)
{
	static const enum profile_by groupings[] = { BY_LINE, BY_FUNCTION, BY_FILE, BY_MODULE,
		BY_THREAD };

	json_object(&d->json, "rows", true);
	for (size_t i = 0; i < ARRAY_SIZE(groupings); i++)
		write_grouping(d, groupings[i]);
	json_close(&d->json);
}
