/* SPDX-License-Identifier: MIT */
/* row.c - rows and stacks, human-readable and as JSON. */
#include "analyzer/print/row.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/filter.h"

#include <stdlib.h>
#include <string.h>

#define CALL_LEAST 20 /* columns that a function and its location have at least */

/* ---- stacks */

static void frame_json(void *context, const struct frame_function *fn)
{
	const struct symbol *symbol = fn->symbol;
	struct json *j = context;

	json_object(j, NULL, true);
	json_text(j, "function", symbol->function);
	json_text(j, "file", symbol->line ? symbol->file : NULL);
	json_known(j, "line", symbol->file ? symbol->line : 0);
	json_text(j, "module", fn->frame->module);
	offset_json("offset", true, fn->frame->offset, j);
	json_bool(j, "inlined", symbol->inlined);
	json_close(j);
}

static const char *stack_end_name(uint32_t root)
{
	return root == MT_NODE_ROOT ? "whole" : root == MT_NODE_DEEP ? "cut" : "broken";
}

struct names {
	const char **items;
	size_t count, room;
};

static void add_name(void *context, const struct frame_function *fn)
{
	struct names *names = context;

	VEC_PUSH(names->items, names->count, names->room, fn->symbol->function);
}

/* The titles may be those of a table without rows, thus without a site. */
static void stack_csv(
	const struct trace *t, struct resolver *resolver, uint32_t site, struct json *j)
{
	struct names names = { 0 };
	struct strbuf text = { 0 };
	uint32_t root = MT_NODE_ROOT;

	if (j->form == JSON_CSV)
		root = stack_walk(t, resolver, site, add_name, &names);
	for (size_t i = names.count; i-- > 0;) {
		strbuf_add_folded(&text, names.items[i]);
		strbuf_add(&text, i ? ";" : "");
	}
	json_text(j, "stack", strbuf_text(&text));
	json_text(j, "stack_end", stack_end_name(root));
	strbuf_release(&text);
	free(names.items);
}

void stack_json(const struct trace *t, struct resolver *resolver, uint32_t site, struct json *j)
{
	uint32_t root;

	if (j->form != JSON_TEXT) {
		stack_csv(t, resolver, site, j);
		return;
	}
	json_array(j, "stack", true);
	root = stack_walk(t, resolver, site, frame_json, j);
	json_close(j);
	json_text(j, "stack_end", stack_end_name(root));
}

/* ---- for machines */

/* Whether the threads that had the lane one after the other were all called so. */
static bool lane_has_one_name(const struct mt_lane *lane)
{
	return lane->threads < 2 || memcmp(lane->earlier, lane->name, sizeof(lane->name)) == 0;
}

static void thread_json(const struct row *row, const struct trace *t, struct json *j)
{
	static const struct mt_lane none;
	const struct mt_lane *lane = row->lane < t->lane_count ? &t->lanes[row->lane] : &none;

	json_text(j, "thread", lane->name[0] ? lane->name : NULL);
	json_unsigned(j, "tid", lane->tid);
	json_unsigned(j, "threads", lane->threads);
	json_bool(j, "one_name", lane_has_one_name(lane));
}

void measure_json(const struct measures *m, enum sort_key key, struct json *j)
{
	const char *name = sort_key_names[key];
	int64_t value = sort_measure(m, key);

	if (!measure_is_known(m, key))
		json_null(j, name);
	else if (key == SORT_CURRENT_BYTES || key == SORT_CURRENT_BLOCKS)
		json_signed(j, name, value);
	else
		json_unsigned(j, name, (uint64_t)value);
}

void exact_peak_json(const struct measures *m, struct json *j)
{
	measure_json(m, SORT_PEAK_BYTES, j);
	if (measure_is_known(m, SORT_PEAK_BYTES))
		json_bool(j, "peak_is_exact", m->peak_is_exact);
	else
		json_null(j, "peak_is_exact");
}

static void peaks_json(const struct row *row, const struct profile *p, struct json *j)
{
	const struct measures *m = &row->m;

	if (p->by == BY_THREAD) {
		json_null(j, "peak_bytes");
		json_null(j, "peak_is_exact");
		json_null(j, "at_peak_bytes");
		json_null(j, "at_peak_percent");
		return;
	}
	exact_peak_json(m, j);
	measure_json(m, SORT_AT_PEAK_BYTES, j);
	if (measure_is_known(m, SORT_AT_PEAK_BYTES))
		json_real(j, "at_peak_percent",
			percent_of(m->at_peak_bytes, p->totals.all.peak_bytes));
	else
		json_null(j, "at_peak_percent");
}

void frees_json(const struct measures *m, struct json *j)
{
	if (m->unknown & UNKNOWN_TOTALS)
		json_null(j, "frees");
	else
		json_unsigned(j, "frees", m->frees);
}

static void error_json(struct json *j, const char *key, double variance)
{
	if (variance < 0)
		json_null(j, key);
	else
		json_unsigned(j, key, standard_error(variance));
}

/* Negative where the measure itself isn't. */
static double known(const struct measures *m, enum sort_key key)
{
	return measure_is_known(m, key) ? measure_variance(&m->v, key) : -1;
}

void errors_json(const struct measures *m, const struct trace *t, bool peaks, struct json *j)
{
	if (!t->header.sample_bytes)
		return;
	error_json(j, "current_bytes_error", m->v.current_bytes);
	error_json(j, "current_blocks_error", known(m, SORT_CURRENT_BLOCKS));
	error_json(j, "peak_bytes_error", peaks ? known(m, SORT_PEAK_BYTES) : -1);
	error_json(j, "at_peak_bytes_error", peaks ? known(m, SORT_AT_PEAK_BYTES) : -1);
	error_json(j, "allocated_bytes_error", known(m, SORT_ALLOCATED_BYTES));
	error_json(j, "allocations_error", known(m, SORT_ALLOCATIONS));
	error_json(j, "temporary_error", known(m, SORT_TEMPORARY));
}

void offset_json(const char *key, bool known, uint64_t offset, struct json *j)
{
	char text[UNIT_TEXT];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)offset);
	if (known)
		json_text(j, key, text);
	else if (j->form != JSON_TEXT)
		json_null(j, key);
}

void row_json(const struct row *row, const struct profile *p, const struct trace *t, struct json *j)
{
	json_text(j, "file", row->file);
	json_known(j, "line", row->line);
	json_text(j, "function", row->function);
	json_text(j, "module", row->module);
	offset_json("offset", row->has_offset, row->offset, j);
	if (p->by == BY_THREAD)
		thread_json(row, t, j);
	else
		json_text(j, "kind", row->kind == MT_KIND_MMAP ? "mmap" : "heap");
	measure_json(&row->m, SORT_CURRENT_BYTES, j);
	measure_json(&row->m, SORT_CURRENT_BLOCKS, j);
	peaks_json(row, p, j);
	measure_json(&row->m, SORT_ALLOCATED_BYTES, j);
	measure_json(&row->m, SORT_ALLOCATIONS, j);
	frees_json(&row->m, j);
	measure_json(&row->m, SORT_TEMPORARY, j);
	if (t->slack && p->by != BY_THREAD) {
		json_signed(j, "current_slack_bytes", row->m.current_slack);
		json_unsigned(j, "allocated_slack_bytes", row->m.allocated_slack);
	}
	errors_json(&row->m, t, p->by != BY_THREAD, j);
	json_unsigned(j, "sites", row->sites);
}

void added_json(const struct measures *m, struct json *j)
{
	measure_json(m, SORT_CURRENT_BYTES, j);
	measure_json(m, SORT_CURRENT_BLOCKS, j);
	measure_json(m, SORT_AT_PEAK_BYTES, j);
	measure_json(m, SORT_ALLOCATED_BYTES, j);
	measure_json(m, SORT_ALLOCATIONS, j);
	measure_json(m, SORT_TEMPORARY, j);
}

/* ---- human-readable */

static void add_offset(
	struct strbuf *text, struct paths *paths, const char *module, uint64_t offset)
{
	strbuf_addf(text, "%s+%#llx", module ? paths_short(paths, module) : "[generated code]",
		(unsigned long long)offset);
}

static void add_thread(const struct row *row, const struct trace *t, struct strbuf *text)
{
	const struct mt_lane *lane = &t->lanes[row->lane];

	strbuf_addf(text, "%s (tid %u)", lane->name[0] ? lane->name : "thread", lane->tid);
	if (lane->threads > 1)
		strbuf_addf(text, ", last of %u threads%s", lane->threads,
			lane_has_one_name(lane) ? "" : " with different names");
}

void row_location(const struct row *row, enum profile_by by, const struct trace *t,
	struct paths *paths, struct strbuf *text)
{
	if (by == BY_THREAD) {
		add_thread(row, t, text);
	} else if (row->file) {
		strbuf_add(text, paths_short(paths, row->file));
		if (row->line)
			strbuf_addf(text, ":%u", row->line);
	} else if (row->has_offset) {
		add_offset(text, paths, row->module, row->offset);
	} else if (row->module) {
		strbuf_add(text, paths_short(paths, row->module));
	} else if (!row->function) {
		strbuf_add(text, by == BY_MODULE ? "[no module]" : "[no file]");
	}
}

bool is_bare_offset(const char *function, const char *module)
{
	const char *base = module ? path_base(module) : "";
	size_t size = strlen(base);

	if (!module)
		return strncmp(function, "0x", 2) == 0;
	return size && strncmp(function, base, size) == 0 &&
	       strncmp(function + size, "+0x", 3) == 0;
}

void row_function(const struct row *row, struct strbuf *text)
{
	if (row->function && !is_bare_offset(row->function, row->module))
		strbuf_add(text, row->function);
	if (row->more_functions)
		strbuf_add(text, " and others");
	if (row->kind == MT_KIND_MMAP)
		strbuf_addf(text, "%s[mmap]", text->size ? " " : "");
}

void frame_function_name(const struct frame_function *fn, struct strbuf *text)
{
	if (!is_bare_offset(fn->symbol->function, fn->frame->module))
		strbuf_add(text, fn->symbol->function);
}

void frame_function_where(const struct frame_function *fn, struct paths *paths, struct strbuf *text)
{
	const struct symbol *symbol = fn->symbol;

	if (symbol->file && symbol->line)
		strbuf_addf(text, "%s:%u", paths_short(paths, symbol->file), symbol->line);
	else
		add_offset(text, paths, fn->frame->module, fn->frame->offset);
}

void frame_function_text(
	const struct frame_function *fn, struct paths *paths, size_t used, struct strbuf *text)
{
	struct strbuf raw = { 0 }, name = { 0 }, where = { 0 };
	size_t width = output_width();

	frame_function_name(fn, &raw);
	strbuf_add_clean(&name, strbuf_text(&raw));
	strbuf_clear(&raw);
	frame_function_where(fn, paths, &raw);
	strbuf_add_clean(&where, strbuf_text(&raw));
	strbuf_add_call(text, strbuf_text(&name), strbuf_text(&where),
		width == SIZE_MAX	    ? width
		: width > used + CALL_LEAST ? width - used
					    : CALL_LEAST);
	strbuf_release(&raw);
	strbuf_release(&name);
	strbuf_release(&where);
}

/* ---- stacks under a row */

struct stack_notes {
	struct table *table;
	struct paths *paths;
	size_t frames;
};

static void note_frame(void *context, const struct frame_function *fn)
{
	struct stack_notes *notes = context;
	struct strbuf name = { 0 }, where = { 0 };

	frame_function_name(fn, &name);
	frame_function_where(fn, notes->paths, &where);
	table_note_call(notes->table, notes->frames++ ? "   by " : "   at ", strbuf_text(&name),
		strbuf_text(&where));
	strbuf_release(&name);
	strbuf_release(&where);
}

void note_stack(struct table *table, const struct trace *t, struct resolver *resolver,
	uint32_t site, struct paths *paths)
{
	struct stack_notes notes = { table, paths, 0 };
	uint32_t root = stack_walk(t, resolver, site, note_frame, &notes);

	if (root == MT_NODE_DEEP)
		table_note(table, "   (cut here: more frames than MTRACE_DEPTH)");
	else if (root != MT_NODE_ROOT)
		table_note(table, "   (could not be unwound further)");
}

void add_frame_paths(void *paths, const struct frame_function *fn)
{
	paths_add(paths, fn->symbol->line ? fn->symbol->file : NULL);
	paths_add(paths, fn->frame->module);
}

/* ---- filters */

bool row_kept(const struct row *row, const struct profile *p, const struct trace *t,
	struct resolver *resolver, const struct filter *filter)
{
	struct filter_subject one = { row->function, row->file, row->line, row->module };

	if (filter_is_empty(filter))
		return true;
	if (p->by == BY_THREAD)
		one.function = t->lanes[row->lane].name;
	if (p->by == BY_SITE)
		return filter_keeps_stack(filter, t, resolver, row->site);
	return filter_keeps(filter, &one, 1);
}
