/* SPDX-License-Identifier: MIT */
/*
 * profile.c - adds sites up to rows.
 *
 * The sites are taken in tally.c's order. For each site the rows it counts for are found by a hash
 * of what makes a row one: without
 * --cumulative one row, with it one for each function on the stack.
 */
#include "analyzer/views/profile.h"
#include "analyzer/base/array.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/tally.h"

#include <stdlib.h>
#include <string.h>

const char *const profile_by_names[] = { "line", "function", "file", "module", "site", "thread",
	NULL };

/* A row while it grows. */
struct draft {
	struct row row; /* the fields but measures and site counts are the key */
	struct tally_sum sum;
	uint64_t named_by[2]; /* at-peak and allocated bytes of the site that gave the function and
				 the module */
};

/* The rows that one frame stands for. */
struct frame_rows {
	uint32_t start; /* in builder.frame_row */
	uint32_t count;
	bool known;
};

struct builder {
	const struct trace *trace;
	struct resolver *resolver;
	enum profile_by by;
	struct tally tally;
	struct draft *drafts;
	size_t draft_count, draft_room;
	struct hashmap index;	      /* of drafts, by key */
	struct frame_rows *frames[2]; /* cumulative, for each kind: by frame */
	uint32_t *frame_row;	      /* indexes of drafts */
	uint32_t *row_of_site;	      /* likewise; NULL: cumulative */
	size_t frame_row_count, frame_row_room;
};

/* ---- what makes a row one */

static bool same_key(const void *context, uint32_t index, const void *key)
{
	const struct row *a = &((const struct builder *)context)->drafts[index].row;
	const struct draft *wanted = key;
	const struct row *b = &wanted->row;

	if (a->kind != b->kind || a->file != b->file || a->line != b->line || a->site != b->site)
		return false;
	/* One source line is one row, whatever functions and modules its code went to. */
	if (a->file && a->line)
		return true;
	if (a->function != b->function)
		return false;
	return a->file || (a->module == b->module && a->offset == b->offset);
}

uint64_t row_name(const struct row *key)
{
	uint64_t hash = hash_number(key->kind, (uintptr_t)key->file);

	hash = hash_number(hash, (uint64_t)key->line << 32 | key->site);
	if (key->file && key->line)
		return hash;
	hash = hash_number(hash, (uintptr_t)key->function);
	return key->file ? hash
			 : hash_number(hash_number(hash, (uintptr_t)key->module), key->offset);
}

/* The finest that is known of a function on a stack: its line, or else the address of the call. */
static void set_line(struct row *row, const struct frame_function *fn)
{
	row->function = fn->symbol->function;
	row->file = fn->symbol->file;
	row->line = fn->symbol->line;
	row->module = fn->frame->module;
	if (row->file && row->line)
		return;
	row->file = NULL;
	row->line = 0;
	row->offset = fn->frame->offset;
	row->has_offset = true;
}

/* The row of a function on a stack when rows are made by `by`; a stack without frames gives a row
 * of its own. */
static struct row row_of(enum profile_by by, const struct frame_function *fn, uint32_t kind)
{
	struct row row = { .kind = kind };

	if (!fn->symbol) {
		row.function = by == BY_FILE || by == BY_MODULE ? NULL : "[no stack]";
		return row;
	}
	switch (by) {
	case BY_LINE:
	case BY_SITE:
		set_line(&row, fn);
		break;
	case BY_FUNCTION:
		row.function = fn->symbol->function;
		row.file = fn->symbol->file;
		row.module = fn->frame->module;
		break;
	case BY_FILE:
		row.file = fn->symbol->file;
		row.module = row.file ? NULL : fn->frame->module;
		break;
	case BY_MODULE:
	case BY_THREAD:
		row.module = fn->frame->module;
		break;
	}
	return row;
}

static uint32_t find_draft(struct builder *b, const struct row *row)
{
	struct draft draft = { .row = *row };
	uint32_t index = hashmap_find(
		&b->index, row_name(row), same_key, b, &draft, (uint32_t)b->draft_count);

	if (index == b->draft_count)
		VEC_PUSH(b->drafts, b->draft_count, b->draft_room, draft);
	return index;
}

/* ---- adding up */

/* Where functions share a line, the one with the most bytes gives the row its name. */
static void name_row(struct draft *draft, const struct row *row, const struct measures *m)
{
	bool same = draft->row.function == row->function && draft->row.module == row->module;
	int order;

	draft->row.more_functions |= draft->row.function != row->function;
	if (m->at_peak_bytes != draft->named_by[0])
		order = m->at_peak_bytes > draft->named_by[0] ? 1 : -1;
	else if (m->allocated_bytes != draft->named_by[1])
		order = m->allocated_bytes > draft->named_by[1] ? 1 : -1;
	else
		order = !same && row->function && draft->row.function &&
			strcmp(row->function, draft->row.function) < 0;
	if (order <= 0)
		return;
	draft->row.function = row->function;
	draft->row.module = row->module;
	draft->named_by[0] = m->at_peak_bytes;
	draft->named_by[1] = m->allocated_bytes;
}

static void add_to_owner(struct builder *b, uint32_t site)
{
	struct frame_function fn = resolve_owner(b->resolver, b->trace->site_info[site].node);
	struct row row = row_of(b->by, &fn, tally_kind(&b->tally, site));
	uint32_t index;

	if (b->by == BY_SITE)
		row.site = site;
	index = find_draft(b, &row);
	if (b->row_of_site)
		b->row_of_site[site] = index;
	if (b->by == BY_LINE)
		name_row(&b->drafts[index], &row, &b->tally.sites[site]);
	tally_add(&b->tally, &b->drafts[index].sum, site);
}

/* ---- cumulative */

static const struct frame_rows *rows_of_frame(struct builder *b, uint32_t frame, uint32_t kind)
{
	struct frame_rows *rows = &b->frames[kind == MT_KIND_MMAP][frame];
	const struct resolved_frame *resolved;

	if (rows->known)
		return rows;
	rows->known = true;
	rows->start = (uint32_t)b->frame_row_count;
	resolved = resolve(b->resolver, frame);
	for (size_t i = 0; i < resolved->count; i++) {
		struct frame_function fn = { resolved, &resolved->symbols[i] };
		struct row row = row_of(b->by, &fn, kind);
		uint32_t index = find_draft(b, &row);

		VEC_PUSH(b->frame_row, b->frame_row_count, b->frame_row_room, index);
	}
	rows->count = (uint32_t)b->frame_row_count - rows->start;
	return rows;
}

static void add_to_stack(struct builder *b, uint32_t site)
{
	const struct trace *t = b->trace;
	uint32_t kind = tally_kind(&b->tally, site);
	uint32_t node = t->site_info[site].node;
	bool any = false;

	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		const struct frame_rows *rows = rows_of_frame(b, t->nodes[node].frame, kind);

		for (uint32_t i = 0; i < rows->count; i++)
			tally_add(&b->tally, &b->drafts[b->frame_row[rows->start + i]].sum, site);
		any |= rows->count > 0;
	}
	if (!any)
		add_to_owner(b, site);
}

/* ---- the whole */

static void add_sites(struct builder *b, bool cumulative)
{
	if (!cumulative) {
		b->row_of_site = mem_alloc(((size_t)b->trace->site_count + 1) * sizeof(uint32_t));
		memset(b->row_of_site, 0xff, ((size_t)b->trace->site_count + 1) * sizeof(uint32_t));
	}
	for (uint32_t i = 0; i < b->tally.count; i++) {
		if (cumulative)
			add_to_stack(b, b->tally.order[i]);
		else
			add_to_owner(b, b->tally.order[i]);
	}
}

static void finish_rows(struct builder *b, struct profile *p)
{
	p->rows = mem_zalloc(b->draft_count, sizeof(*p->rows));
	for (size_t i = 0; i < b->draft_count; i++) {
		struct draft *draft = &b->drafts[i];

		tally_finish(&b->tally, &draft->sum);
		draft->row.m = draft->sum.m;
		draft->row.sites = draft->sum.sites;
		p->rows[p->row_count++] = draft->row;
	}
}

static void add_threads(const struct trace *t, struct profile *p)
{
	struct measures *lanes = lane_measures(t);

	p->rows = mem_zalloc(t->lane_count, sizeof(*p->rows));
	for (uint32_t i = 0; i < t->lane_count; i++)
		p->rows[p->row_count++] = (struct row){ .lane = i, .m = lanes[i] };
	free(lanes);
}

struct profile *profile_new(
	const struct trace *trace, struct resolver *resolver, enum profile_by by, bool cumulative)
{
	struct profile *p = mem_zalloc(1, sizeof(*p));
	struct builder b = { .trace = trace, .resolver = resolver, .by = by };

	p->by = by;
	p->cumulative = cumulative;
	tally_init(&b.tally, trace);
	p->totals = b.tally.totals;
	if (by == BY_THREAD) {
		add_threads(trace, p);
	} else {
		for (int i = 0; i < 2 && cumulative; i++)
			b.frames[i] = mem_zalloc(trace->frame_count, sizeof(*b.frames[i]));
		add_sites(&b, cumulative);
		finish_rows(&b, p);
		p->row_of_site = b.row_of_site;
	}
	hashmap_release(&b.index);
	free(b.frames[0]);
	free(b.frames[1]);
	free(b.frame_row);
	free(b.drafts);
	tally_release(&b.tally);
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	free(p->rows);
	free(p->row_of_site);
	free(p);
}

/* ---- order */

const char *const sort_key_names[] = { "current_bytes", "current_blocks", "peak_bytes",
	"at_peak_bytes", "allocated_bytes", "allocations", "temporary", "name", NULL };

static const struct {
	const char *name;
	enum sort_key key;
} short_forms[] = {
	{ "current", SORT_CURRENT_BYTES },
	{ "bytes", SORT_CURRENT_BYTES },
	{ "blocks", SORT_CURRENT_BLOCKS },
	{ "peak", SORT_PEAK_BYTES },
	{ "own_peak", SORT_PEAK_BYTES },
	{ "at_peak", SORT_AT_PEAK_BYTES },
	{ "share", SORT_AT_PEAK_BYTES },
	{ "allocated", SORT_ALLOCATED_BYTES },
	{ "count", SORT_ALLOCATIONS },
	{ "allocs", SORT_ALLOCATIONS },
	{ "temp", SORT_TEMPORARY },
};

/* Whether `name` begins with `start`; '-' and '_' are the same. */
static bool begins(const char *name, const char *start)
{
	for (; *start; name++, start++) {
		if (*name != *start && !(*name == '_' && *start == '-'))
			return false;
	}
	return true;
}

bool sort_key_find(const char *name, enum sort_key *key)
{
	size_t length = strlen(name);
	int matches = 0;

	for (size_t i = 0; i < ARRAY_SIZE(short_forms); i++) {
		if (strlen(short_forms[i].name) == length && begins(short_forms[i].name, name)) {
			*key = short_forms[i].key;
			return true;
		}
	}
	for (int i = 0; sort_key_names[i]; i++) {
		if (!begins(sort_key_names[i], name))
			continue;
		*key = (enum sort_key)i;
		if (strlen(sort_key_names[i]) == length)
			return true;
		matches++;
	}
	return length > 0 && matches == 1;
}

int64_t sort_measure(const struct measures *m, enum sort_key key)
{
	switch (key) {
	case SORT_CURRENT_BYTES:
		return m->current_bytes;
	case SORT_CURRENT_BLOCKS:
		return m->current_blocks;
	case SORT_PEAK_BYTES:
		return (int64_t)m->peak_bytes;
	case SORT_AT_PEAK_BYTES:
		return (int64_t)m->at_peak_bytes;
	case SORT_ALLOCATED_BYTES:
		return (int64_t)m->allocated_bytes;
	case SORT_ALLOCATIONS:
		return (int64_t)m->allocations;
	case SORT_TEMPORARY:
		return (int64_t)m->temporary;
	case SORT_NAME:
		break;
	}
	return 0;
}

double measure_variance(const struct variances *v, enum sort_key key)
{
	switch (key) {
	case SORT_CURRENT_BYTES:
		return v->current_bytes;
	case SORT_CURRENT_BLOCKS:
		return v->current_blocks;
	case SORT_PEAK_BYTES:
		return v->peak_bytes;
	case SORT_AT_PEAK_BYTES:
		return v->at_peak_bytes;
	case SORT_ALLOCATED_BYTES:
		return v->allocated_bytes;
	case SORT_ALLOCATIONS:
		return v->allocations;
	case SORT_TEMPORARY:
		return v->temporary;
	case SORT_NAME:
		break;
	}
	return 0;
}

const char *measure_title(enum sort_key key)
{
	static const char *const titles[] = { "current", "blocks", "own peak", "at peak",
		"allocated", "allocs", "temporary", "" };

	return titles[key];
}

bool measure_is_bytes(enum sort_key key)
{
	return key == SORT_CURRENT_BYTES || key == SORT_PEAK_BYTES || key == SORT_AT_PEAK_BYTES ||
	       key == SORT_ALLOCATED_BYTES;
}

char *format_measure(char text[UNIT_TEXT], int64_t value, enum sort_key key)
{
	return measure_is_bytes(key) ? format_bytes(text, value) : format_count(text, value);
}

bool measure_is_known(const struct measures *m, enum sort_key key)
{
	static const unsigned unknown[] = {
		[SORT_CURRENT_BYTES] = 0,
		[SORT_CURRENT_BLOCKS] = UNKNOWN_BLOCKS,
		[SORT_PEAK_BYTES] = UNKNOWN_PEAK,
		[SORT_AT_PEAK_BYTES] = UNKNOWN_AT_PEAK,
		[SORT_ALLOCATED_BYTES] = UNKNOWN_TOTALS,
		[SORT_ALLOCATIONS] = UNKNOWN_TOTALS,
		[SORT_TEMPORARY] = UNKNOWN_TEMPORARY,
		[SORT_NAME] = 0,
	};

	return !(m->unknown & unknown[key]);
}

char *format_known(char text[UNIT_TEXT], const struct measures *m, enum sort_key key)
{
	*text = '\0';
	return measure_is_known(m, key) ? format_measure(text, sort_measure(m, key), key) : text;
}

static int compare_names(const struct row *a, const struct row *b)
{
	int order = compare_texts(a->file, b->file);

	if (order == 0)
		order = compare_numbers(a->line, b->line);
	if (order == 0)
		order = compare_texts(a->function, b->function);
	if (order == 0)
		order = compare_texts(a->module, b->module);
	if (order == 0)
		order = compare_numbers(a->offset, b->offset);
	if (order == 0)
		order = compare_numbers(a->kind, b->kind);
	if (order == 0)
		order = compare_numbers(a->site, b->site);
	return order ? order : compare_numbers(a->lane, b->lane);
}

int row_order(const struct row *a, const struct row *b, enum sort_key key)
{
	static const enum sort_key ties[] = { SORT_AT_PEAK_BYTES, SORT_ALLOCATED_BYTES,
		SORT_ALLOCATIONS };
	int64_t x = sort_measure(&a->m, key), y = sort_measure(&b->m, key);

	for (size_t i = 0; x == y && key != SORT_NAME && i < ARRAY_SIZE(ties); i++) {
		x = sort_measure(&a->m, ties[i]);
		y = sort_measure(&b->m, ties[i]);
	}
	return x == y ? compare_names(a, b) : x < y ? 1 : -1;
}

static int compare_rows(const void *left, const void *right, void *key)
{
	return row_order(left, right, *(enum sort_key *)key);
}

void profile_sort(struct profile *p, enum sort_key key)
{
	qsort_r(p->rows, p->row_count, sizeof(*p->rows), compare_rows, &key);
}
