/* SPDX-License-Identifier: MIT */
/*
 * diff.c - adds the sites of all traces up to rows, each by its code's identity, and compares the
 * sides.
 *
 * 1. The code of every trace is matched, old ones first; moments of one process have one code. 2. What
 * is known of each identity's location on each side is noted. 3. Sites go to rows by a key made of
 * identities. 4. Medians and spreads.
 */
#include "analyzer/views/diff.h"
#include "analyzer/base/array.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/code.h"
#include "analyzer/views/match.h"

#include <stdlib.h>
#include <string.h>

const char *const diff_status_names[] = { "same", "grew", "shrank", "new", "gone" };

/* The lines and files of identities, on each side. */
struct point_locations {
	const char *file[DIFF_SIDES];
	uint32_t line[DIFF_SIDES];
};

struct builder {
	struct diff *diff;
	struct match *match;
	struct point_locations *points;	  /* by identity */
	const char *(*files)[DIFF_SIDES]; /* by identity of the function */
	const char *(*modules)[DIFF_SIDES];
	struct hashmap renamed; /* of functions on both sides, by their old file */
	struct hashmap index;	/* of rows, by key */
	size_t row_room;
};

/* ---- 1. and 2. */

static bool is_one_process(const struct diff *d)
{
	for (size_t i = 0; i < d->trace_count; i++)
		if (!trace_same_process(d->traces[0].reading.trace, d->traces[i].reading.trace))
			return false;
	return true;
}

/* With the sites that were used at no moment that is compared. */
static struct code *whole_code(const struct diff_trace *t)
{
	struct tally all = t->tally;
	struct code *code;

	all.count = t->reading.trace->site_count ? t->reading.trace->site_count - 1 : 0;
	all.order = mem_zalloc((size_t)all.count + 1, sizeof(*all.order));
	for (uint32_t i = 0; i < all.count; i++)
		all.order[i] = i + 1;
	code = code_new(t->reading.trace, t->reading.resolver, &all);
	free(all.order);
	return code;
}

/* Tables of one process only grow: the largest have all, and nothing has to be matched. */
static void share_code(struct builder *b)
{
	struct diff *d = b->diff;
	struct diff_trace *most = &d->traces[0];
	struct code *code;

	for (size_t i = 0; i < d->trace_count; i++) {
		tally_init(&d->traces[i].tally, d->traces[i].reading.trace);
		if (d->traces[i].reading.trace->site_count > most->reading.trace->site_count)
			most = &d->traces[i];
	}
	code = whole_code(most);
	for (size_t i = 0; i < d->trace_count; i++) {
		d->traces[i].code = code;
		d->traces[i].points = mem_zalloc(code->point_count + 1, sizeof(uint32_t));
	}
	match_add(b->match, code, d->traces[0].points);
	for (size_t i = 1; i < d->trace_count; i++)
		memcpy(d->traces[i].points, d->traces[0].points,
			code->point_count * sizeof(uint32_t));
}

static void match_traces(struct builder *b)
{
	for (size_t i = 0; i < b->diff->trace_count; i++) {
		struct diff_trace *t = &b->diff->traces[i];

		tally_init(&t->tally, t->reading.trace);
		t->code = code_new(t->reading.trace, t->reading.resolver, &t->tally);
		t->points = mem_zalloc(t->code->point_count + 1, sizeof(*t->points));
		match_add(b->match, t->code, t->points);
	}
}

static void note_locations(struct builder *b)
{
	b->points = mem_zalloc(match_point_count(b->match) + 1, sizeof(*b->points));
	b->files = mem_zalloc(match_function_count(b->match) + 1, sizeof(*b->files));
	b->modules = mem_zalloc(match_function_count(b->match) + 1, sizeof(*b->modules));
	for (size_t i = 0; i < b->diff->trace_count; i++) {
		const struct diff_trace *t = &b->diff->traces[i];

		for (size_t k = 0; k < t->code->point_count; k++) {
			const struct code_point *p = &t->code->points[k];
			const struct code_function *f = &t->code->functions[p->function];
			uint32_t function = match_function(b->match, t->points[k]);

			b->points[t->points[k]].file[t->side] = p->file;
			b->points[t->points[k]].line[t->side] = p->line;
			b->files[function][t->side] = f->file;
			b->modules[function][t->side] = f->module;
		}
	}
}

static bool same_old_file(const void *context, uint32_t function, const void *file)
{
	const struct builder *b = context;

	return strcmp(b->files[function][DIFF_OLD], file) == 0;
}

/* A file is what the functions that are on both sides say: their new one. */
static void map_files(struct builder *b)
{
	for (uint32_t i = 0; i < match_function_count(b->match); i++) {
		if (b->files[i][DIFF_OLD] && b->files[i][DIFF_NEW])
			hashmap_find(&b->renamed, hash_text(0, b->files[i][DIFF_OLD]),
				same_old_file, b, b->files[i][DIFF_OLD], i);
	}
}

/* Code of a file that was renamed, or moved to another file, counts for the new one. */
static const char *file_of(struct builder *b, uint32_t function)
{
	const char *old = b->files[function][DIFF_OLD];
	uint32_t both;

	if (b->files[function][DIFF_NEW] || !old)
		return b->files[function][DIFF_NEW];
	both = hashmap_find(&b->renamed, hash_text(0, old), same_old_file, b, old, UINT32_MAX);
	return both == UINT32_MAX ? old : b->files[both][DIFF_NEW];
}

/* ---- 3. rows */

/* The owner of a site's stack, as resolve_owner() says, and its identity. */
struct owner {
	struct frame_function fn; /* NULLs for an empty stack */
	uint32_t point;		  /* identity */
};

static struct owner owner_of(const struct diff_trace *t, uint32_t site)
{
	const struct trace *trace = t->reading.trace;
	uint32_t node = trace->site_info[site].node;
	struct owner owner = { resolve_owner(t->reading.resolver, node), 0 };

	for (; owner.fn.symbol && node >= MT_NODE_FIRST; node = trace->nodes[node].parent) {
		uint32_t frame = trace->nodes[node].frame;

		if (resolve(t->reading.resolver, frame) != owner.fn.frame)
			continue;
		owner.point = t->points[code_point_of(
			t->code, frame, (size_t)(owner.fn.symbol - owner.fn.frame->symbols))];
		return owner;
	}
	owner.fn = (struct frame_function){ NULL, NULL };
	return owner;
}

static uint64_t hash_optional(uint64_t hash, const char *text)
{
	return hash_text(hash_number(hash, text != NULL), text ? text : "");
}

/* A source line of a function on both sides is one row. Two functions on one line, such as two
 * instantiations of a template, are two: they may change in opposite ways. */
static uint64_t line_key(const struct builder *b, uint32_t point)
{
	const struct point_locations *p = &b->points[point];
	uint64_t hash = hash_number(1, match_function(b->match, point));

	if (!p->line[DIFF_OLD] && !p->line[DIFF_NEW])
		return hash_number(2, point);
	for (int side = 0; side < DIFF_SIDES; side++)
		hash = hash_number(hash_optional(hash, p->file[side]), p->line[side]);
	return hash;
}

static uint64_t file_key(struct builder *b, uint32_t function)
{
	const char *file = file_of(b, function);
	const char *const *modules = b->modules[function];

	if (file)
		return hash_text(3, file);
	return hash_optional(4, modules[DIFF_NEW] ? modules[DIFF_NEW] : modules[DIFF_OLD]);
}

static uint64_t module_key(const struct builder *b, uint32_t function)
{
	const char *const *modules = b->modules[function];

	return hash_optional(5, modules[DIFF_NEW] ? modules[DIFF_NEW] : modules[DIFF_OLD]);
}

static uint64_t stack_key(const struct diff_trace *t, uint32_t site)
{
	const struct trace *trace = t->reading.trace;
	uint32_t node = trace->site_info[site].node;
	uint64_t hash = 6;

	for (; node >= MT_NODE_FIRST; node = trace->nodes[node].parent) {
		uint32_t frame = trace->nodes[node].frame;
		const struct resolved_frame *resolved = resolve(t->reading.resolver, frame);

		for (size_t i = 0; i < resolved->count; i++)
			hash = hash_number(hash, t->points[code_point_of(t->code, frame, i)]);
	}
	return hash_number(hash, node);
}

static uint64_t key_of(
	struct builder *b, const struct diff_trace *t, uint32_t site, const struct owner *owner)
{
	uint32_t function;

	if (b->diff->by == BY_SITE)
		return stack_key(t, site);
	if (!owner->fn.symbol)
		return 7;
	function = match_function(b->match, owner->point);
	switch (b->diff->by) {
	case BY_FUNCTION:
		return hash_number(8, function);
	case BY_FILE:
		return file_key(b, function);
	case BY_MODULE:
		return module_key(b, function);
	default:
		return line_key(b, owner->point);
	}
}

static bool same_key(const void *context, uint32_t index, const void *key)
{
	return ((const struct diff *)context)->rows[index].key == *(const uint64_t *)key;
}

static struct diff_row *find_row(struct builder *b, uint64_t key, uint32_t kind)
{
	struct diff *d = b->diff;
	struct diff_row row = { .key = hash_number(key, kind), .kind = kind };
	uint32_t index =
		hashmap_find(&b->index, row.key, same_key, d, &row.key, (uint32_t)d->row_count);

	if (index == d->row_count) {
		row.sums = mem_zalloc(d->trace_count, sizeof(*row.sums));
		VEC_PUSH(d->rows, d->row_count, b->row_room, row);
	}
	return &d->rows[index];
}

static struct diff_location location_of(struct builder *b, const struct owner *owner)
{
	const struct symbol *s = owner->fn.symbol;
	enum profile_by by = b->diff->by;
	struct diff_location location = { .known = true };
	uint32_t both;

	if (!s) {
		location.function = by == BY_FILE || by == BY_MODULE ? NULL : "[no stack]";
		return location;
	}
	if (by == BY_LINE || by == BY_SITE || by == BY_FUNCTION)
		location.function = s->function;
	if (by != BY_MODULE)
		location.file = s->file;
	location.shown = location.file;
	both = location.file ? hashmap_find(&b->renamed, hash_text(0, location.file), same_old_file,
				       b, location.file, UINT32_MAX)
			     : UINT32_MAX;
	if (both != UINT32_MAX &&
		strcmp(path_base(b->files[both][DIFF_NEW]), path_base(location.file)) == 0)
		location.shown = b->files[both][DIFF_NEW];
	if (by != BY_FILE || !s->file)
		location.module = owner->fn.frame->module;
	if (by != BY_LINE && by != BY_SITE)
		return location;
	location.line = s->file ? s->line : 0;
	if (!location.line) {
		location.file = location.shown = NULL;
		location.offset = owner->fn.frame->offset;
		location.has_offset = true;
	}
	return location;
}

/* The site with the most bytes gives the row its location. */
static void add_site(struct builder *b, uint32_t trace, uint32_t site)
{
	struct diff_trace *t = &b->diff->traces[trace];
	struct owner owner = owner_of(t, site);
	struct diff_row *row = find_row(b, key_of(b, t, site, &owner), tally_kind(&t->tally, site));
	const struct measures *m = &t->tally.sites[site];
	uint64_t weight = m->at_peak_bytes + m->allocated_bytes;

	tally_add(&t->tally, &row->sums[trace], site);
	if (row->locations[t->side].known && weight <= row->weights[t->side])
		return;
	row->locations[t->side] = location_of(b, &owner);
	row->weights[t->side] = weight;
	row->trace = trace;
	row->site = site;
}

static void add_sites(struct builder *b)
{
	for (uint32_t i = 0; i < b->diff->trace_count; i++) {
		const struct tally *tally = &b->diff->traces[i].tally;

		for (uint32_t k = 0; k < tally->count; k++)
			add_site(b, i, tally->order[k]);
	}
}

/* ---- 4. both sides compared */

static int compare_values(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Median and spread of `count` values, which get sorted. */
static int64_t median(int64_t *values, size_t count, int64_t *spread)
{
	int64_t low, high;

	qsort(values, count, sizeof(*values), compare_values);
	*spread = (int64_t)((uint64_t)values[count - 1] - (uint64_t)values[0]);
	low = values[(count - 1) / 2];
	high = values[count / 2];
	return low + (int64_t)(((uint64_t)high - (uint64_t)low) / 2);
}

static struct diff_value compare(int64_t *values, size_t old_count, size_t count)
{
	int64_t old_spread, new_spread;
	struct diff_value v = { 0 };

	v.old = median(values, old_count, &old_spread);
	v.new = median(values + old_count, count - old_count, &new_spread);
	v.delta = (int64_t)((uint64_t)v.new - (uint64_t)v.old);
	v.spread = old_spread > new_spread ? old_spread : new_spread;
	v.changed = v.delta > v.spread || v.delta < -v.spread;
	return v;
}

/* With threads the peak is known within a bound, and a change within it isn't known to be one. */
static void blur(struct diff_value *v, int64_t error)
{
	v->spread = error > v->spread ? error : v->spread;
	v->changed = v->delta > v->spread || v->delta < -v->spread;
}

#define SAMPLING_ERRORS 3 /* standard errors: one of 370 that did not change differs by more */

/* Of a trace's measure. A sample that found nothing may have missed what the others have. */
static double variance_of(
	const struct diff *d, const struct measures *const *m, size_t trace, enum sort_key key)
{
	double mean = (double)d->traces[trace].reading.trace->header.sample_bytes;
	double variance = measure_variance(&m[trace]->v, key);

	for (size_t i = 0; i < d->trace_count && mean > 0; i++) {
		struct variances bound = variances_bound(mean, m[i]);

		if (d->traces[i].reading.trace->header.sample_bytes == 0 &&
			measure_variance(&bound, key) > variance)
			variance = measure_variance(&bound, key);
	}
	return variance;
}

/* What a sample may say of two equal measures. */
static int64_t sampling_error(
	const struct diff *d, const struct measures *const *m, enum sort_key key)
{
	double most[DIFF_SIDES] = { 0 };
	uint64_t error;

	for (size_t i = 0; i < d->trace_count; i++) {
		double variance = variance_of(d, m, i, key);

		if (variance > most[d->traces[i].side])
			most[d->traces[i].side] = variance;
	}
	error = standard_error(most[DIFF_OLD] + most[DIFF_NEW]);
	return error < INT64_MAX / SAMPLING_ERRORS ? (int64_t)error * SAMPLING_ERRORS : INT64_MAX;
}

/* Compares one measure of all traces, where all know it. */
static struct diff_value compare_measure(const struct diff *d, const struct measures *const *m,
	unsigned unknown, enum sort_key key, int64_t *values)
{
	const struct measures all = { .unknown = unknown };
	struct diff_value value = { .unknown = true };

	if (!measure_is_known(&all, key))
		return value;

	for (size_t i = 0; i < d->trace_count; i++)
		values[i] = sort_measure(m[i], key);
	value = compare(values, d->old_count, d->trace_count);
	blur(&value, sampling_error(d, m, key));
	return value;
}

/* Sums the row up; false where nothing changed. */
static bool finish_row(
	struct diff *d, struct diff_row *row, const struct measures **m, int64_t *values)
{
	unsigned unknown = 0;
	bool changed = false;

	row->peak_is_exact = true;
	for (size_t i = 0; i < d->trace_count; i++) {
		tally_finish(&d->traces[i].tally, &row->sums[i]);
		row->peak_is_exact &= row->sums[i].m.peak_is_exact || row->sums[i].sites == 0;
		m[i] = &row->sums[i].m;
		unknown |= d->traces[i].reading.trace->moment.unknown;
	}
	for (int key = 0; key < (int)DIFF_MEASURES; key++) {
		row->values[key] = compare_measure(d, m, unknown, (enum sort_key)key, values);
		changed |= row->values[key].changed;
	}
	return changed;
}

static void look_for_resets(struct diff *d)
{
	for (size_t i = 0; i < d->trace_count; i++) {
		const struct trace *t = d->traces[i].reading.trace;

		if (t->header.flags & MT_NOTE_RESET)
			d->reset = t;
		else
			d->whole = t;
	}
	if (!d->reset || !d->whole)
		d->reset = d->whole = NULL;
}

static void finish(struct diff *d)
{
	int64_t *values = mem_zalloc(d->trace_count, sizeof(*values));
	const struct measures **m = mem_zalloc(d->trace_count, sizeof(*m));
	unsigned unknown = 0;
	size_t kept = 0;

	for (size_t i = 0; i < d->row_count; i++) {
		bool changed = finish_row(d, &d->rows[i], m, values);

		free(d->rows[i].sums);
		d->rows[i].sums = NULL;
		if (changed)
			d->rows[kept++] = d->rows[i];
	}
	d->row_count = kept;
	for (size_t i = 0; i < d->trace_count; i++) {
		m[i] = &d->traces[i].tally.totals.all;
		unknown |= m[i]->unknown;
		d->moments |= d->traces[i].reading.trace->moment.kind != MOMENT_END;
	}
	for (int key = 0; key < (int)DIFF_MEASURES; key++)
		d->totals[key] = compare_measure(d, m, unknown, (enum sort_key)key, values);
	for (size_t i = 0; i < d->trace_count; i++) {
		int64_t error = (int64_t)d->traces[i].tally.totals.peak_error_bytes;

		d->peak_error = error > d->peak_error ? error : d->peak_error;
	}
	blur(&d->totals[SORT_PEAK_BYTES], d->peak_error);
	blur(&d->totals[SORT_AT_PEAK_BYTES], d->peak_error);
	free(values);
	free(m);
}

struct diff *diff_new(struct diff_trace *traces, size_t count, enum profile_by by)
{
	struct diff *d = mem_zalloc(1, sizeof(*d));
	struct builder b = { .diff = d };

	d->by = by;
	d->traces = traces;
	d->trace_count = count;
	while (d->old_count < count && traces[d->old_count].side == DIFF_OLD)
		d->old_count++;
	b.match = match_new();
	d->one_process = is_one_process(d);
	if (d->one_process)
		share_code(&b);
	else
		match_traces(&b);
	note_locations(&b);
	map_files(&b);
	add_sites(&b);
	finish(d);
	look_for_resets(d);
	hashmap_release(&b.index);
	hashmap_release(&b.renamed);
	match_free(b.match);
	free(b.points);
	free(b.files);
	free(b.modules);
	return d;
}

void diff_free(struct diff *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->trace_count; i++) {
		tally_release(&d->traces[i].tally);
		if (i == 0 || d->traces[i].code != d->traces[0].code)
			code_free(d->traces[i].code);
		free(d->traces[i].points);
	}
	free(d->rows);
	free(d);
}

/* ---- what a row says */

const struct diff_location *diff_location(const struct diff_row *row)
{
	return &row->locations[row->locations[DIFF_NEW].known ? DIFF_NEW : DIFF_OLD];
}

bool diff_is_comparable(const struct diff *d, enum sort_key measure)
{
	return !d->reset || (measure != SORT_PEAK_BYTES && measure != SORT_AT_PEAK_BYTES);
}

enum diff_status diff_status(const struct diff_row *row, enum sort_key measure)
{
	if (!row->locations[DIFF_OLD].known)
		return DIFF_APPEARED;
	if (!row->locations[DIFF_NEW].known)
		return DIFF_GONE;
	if (!row->values[measure].changed)
		return DIFF_SAME;
	return row->values[measure].delta > 0 ? DIFF_GREW : DIFF_SHRANK;
}

bool diff_percent(const struct diff_value *value, double *percent)
{
	if (value->old == 0)
		return false;
	*percent = 100.0 * (double)value->delta / (double)value->old;
	return true;
}

/* ---- order */

static uint64_t size_of_change(const struct diff_row *row, enum sort_key measure)
{
	const struct diff_value *v = &row->values[measure];

	if (!v->changed)
		return 0;
	return v->delta < 0 ? -(uint64_t)v->delta : (uint64_t)v->delta;
}

static int compare_locations(const struct diff_location *a, const struct diff_location *b)
{
	int order = compare_texts(a->file, b->file);

	if (order == 0)
		order = compare_numbers(a->line, b->line);
	if (order == 0)
		order = compare_texts(a->function, b->function);
	if (order == 0)
		order = compare_texts(a->module, b->module);
	return order ? order : compare_numbers(a->offset, b->offset);
}

static int compare_rows(const void *left, const void *right, void *context)
{
	static const enum sort_key ties[] = { SORT_AT_PEAK_BYTES, SORT_CURRENT_BYTES,
		SORT_ALLOCATED_BYTES, SORT_ALLOCATIONS };
	const struct diff_row *a = left, *b = right;
	enum sort_key measure = *(enum sort_key *)context;
	uint64_t x = size_of_change(a, measure), y = size_of_change(b, measure);

	for (size_t i = 0; x == y && i < ARRAY_SIZE(ties); i++) {
		x = size_of_change(a, ties[i]);
		y = size_of_change(b, ties[i]);
	}
	if (x != y)
		return x < y ? 1 : -1;
	if (compare_locations(diff_location(a), diff_location(b)))
		return compare_locations(diff_location(a), diff_location(b));
	return compare_numbers(a->key, b->key);
}

void diff_sort(struct diff *d, enum sort_key measure)
{
	if (d->row_count)
		qsort_r(d->rows, d->row_count, sizeof(*d->rows), compare_rows, &measure);
}
