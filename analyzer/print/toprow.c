/* SPDX-License-Identifier: MIT */
/* toprow.c - one row: its numbers, its names, and the page about it. */
#include "analyzer/print/toprow.h"
#include "analyzer/base/array.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"
#include "analyzer/print/canvas.h"
#include "analyzer/print/row.h"
#include "analyzer/symbols/source.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define STACKS_SHOWN 30
#define SOURCE_AROUND 3 /* lines before and after */

/* ---- numbers */

void top_add_count(struct strbuf *text, uint64_t count)
{
	static const struct {
		uint64_t unit;
		char letter;
	} units[] = { { 1000000000000, 'T' }, { 1000000000, 'G' }, { 1000000, 'M' },
		{ 1000, 'k' } };
	size_t i = 0;
	double value;

	if (count < 100000) {
		strbuf_addf(text, "%llu", (unsigned long long)count);
		return;
	}
	while (count < units[i].unit)
		i++;
	value = (double)count / (double)units[i].unit;
	strbuf_addf(text, "%.*f%c",
		value < 9.995	? 2
		: value < 99.95 ? 1
				: 0,
		value, units[i].letter);
}

void top_add_growth(struct strbuf *text, int64_t bytes)
{
	char number[UNIT_TEXT];

	if (bytes)
		strbuf_addf(text, "%s%s", bytes > 0 ? "+" : "", format_bytes(number, bytes));
}

/* ---- search */

struct sought {
	const char *text;
	bool found;
};

static bool has(const char *name, const char *text)
{
	return name && strcasestr(name, text);
}

/* "file.c:12" may be what is sought. */
static bool has_place(const char *file, uint32_t line, const char *text)
{
	struct strbuf place = { 0 };
	bool found;

	if (!file)
		return false;
	strbuf_addf(&place, "%s:%u", file, line);
	found = has(strbuf_text(&place), text);
	strbuf_release(&place);
	return found;
}

static void seek_in_frame(void *context, const struct frame_function *fn)
{
	struct sought *s = context;

	s->found = s->found || has(fn->symbol->function, s->text) ||
		   has_place(fn->symbol->file, fn->symbol->line, s->text) ||
		   has(fn->frame->module, s->text);
}

bool top_row_has(const struct row *row, enum profile_by by, const struct trace *t,
	struct resolver *resolver, const char *text)
{
	struct sought s = { text, false };

	if (by == BY_THREAD) {
		struct strbuf name = { 0 };

		row_location(row, by, t, NULL, &name);
		s.found = has(strbuf_text(&name), text);
		strbuf_release(&name);
	} else if (by == BY_SITE) {
		stack_walk(t, resolver, row->site, seek_in_frame, &s);
	} else {
		s.found = has(row->function, text) || has_place(row->file, row->line, text) ||
			  has(row->module, text);
	}
	return s.found;
}

/* ---- the page */

struct toprow_page {
	struct follow *follow;
	enum profile_by by;
	struct measures *sites; /* NULL: not asked for since the last reading */
	uint64_t sites_of;	/* name of the row that they are about */
	struct stack {
		uint32_t site;
		const struct measures *m;
	} * stacks;
	size_t count;

	/* while it is drawn */
	struct canvas *canvas;
	struct paths *paths;
	size_t line, first, end;
	size_t frames; /* of the stack so far */
};

struct toprow_page *toprow_open(struct follow *follow, enum profile_by by)
{
	struct toprow_page *p = mem_zalloc(1, sizeof(*p));

	p->follow = follow;
	p->by = by;
	return p;
}

void toprow_update(struct toprow_page *p)
{
	free(p->sites);
	free(p->stacks);
	p->sites = NULL;
	p->stacks = NULL;
	p->count = 0;
}

void toprow_close(struct toprow_page *p)
{
	if (!p)
		return;
	toprow_update(p);
	free(p);
}

/* ---- its stacks */

static void add_of_lane(struct measures *m, const struct mt_entry *e)
{
	m->current_bytes += (int64_t)(e->allocated_bytes - e->freed_bytes);
	m->current_blocks += (int64_t)(e->allocations - e->frees);
	m->allocated_bytes += e->allocated_bytes;
	m->allocations += e->allocations;
}

/* What a thread had of each site; what was counted before there was a second one is the first lane's. */
static struct measures *sites_of_lane(const struct trace *t, uint32_t lane)
{
	struct measures *sites = mem_zalloc(t->site_count, sizeof(*sites));

	for (uint32_t i = 1; i < t->site_count && lane == 0; i++) {
		sites[i].current_bytes = (int64_t)t->sites[i].current_bytes;
		sites[i].current_blocks = (int64_t)t->sites[i].current_blocks;
		sites[i].allocated_bytes = t->sites[i].allocated_bytes;
		sites[i].allocations = t->sites[i].allocations;
	}
	for (uint32_t i = 0; i < t->entry_count; i++)
		if (t->entries[i].site && t->entries[i].lane == lane)
			add_of_lane(&sites[t->entries[i].site], &t->entries[i]);
	return sites;
}

static int by_size(const void *left, const void *right)
{
	const struct stack *a = left, *b = right;
	int order = compare_numbers(b->m->current_bytes, a->m->current_bytes);

	if (!order)
		order = compare_numbers(b->m->allocated_bytes, a->m->allocated_bytes);
	return order ? order : compare_numbers(a->site, b->site);
}

static bool is_of_row(const struct toprow_page *p, const struct profile *profile,
	const struct row *row, uint32_t site)
{
	if (p->by == BY_THREAD)
		return p->sites[site].allocations || p->sites[site].current_bytes;
	return profile->row_of_site[site] == (size_t)(row - profile->rows);
}

static void find_stacks(
	struct toprow_page *p, const struct top_row *r, const struct profile *profile)
{
	const struct trace *t = p->follow->reading.trace;

	if (p->sites && p->sites_of == r->name)
		return;
	toprow_update(p);
	p->sites_of = r->name;
	p->sites = p->by == BY_THREAD ? sites_of_lane(t, r->row->lane) : site_measures(t);
	p->stacks = mem_zalloc((size_t)t->site_count + 1, sizeof(*p->stacks));
	for (uint32_t i = 1; i < t->site_count; i++)
		if (is_of_row(p, profile, r->row, i))
			p->stacks[p->count++] = (struct stack){ i, &p->sites[i] };
	qsort(p->stacks, p->count, sizeof(*p->stacks), by_size);
}

/* ---- drawing */

/* Begins the next line. False: it isn't among those to be drawn. */
static bool next_line(struct toprow_page *p)
{
	bool drawn = p->line >= p->first && p->line < p->end;

	p->line++;
	if (drawn)
		canvas_line(p->canvas);
	return drawn;
}

static void draw_call(struct toprow_page *p, const char *lead, const struct frame_function *fn)
{
	struct strbuf raw = { 0 }, name = { 0 }, where = { 0 }, text = { 0 };

	canvas_add(p->canvas, CANVAS_FAINT, lead);
	frame_function_name(fn, &raw);
	strbuf_add_clean(&name, strbuf_text(&raw));
	strbuf_clear(&raw);
	frame_function_where(fn, p->paths, &raw);
	strbuf_add_clean(&where, strbuf_text(&raw));
	strbuf_add_call(&text, strbuf_text(&name), strbuf_text(&where), canvas_room(p->canvas));
	canvas_add(p->canvas, CANVAS_PLAIN, strbuf_text(&text));
	strbuf_release(&raw);
	strbuf_release(&name);
	strbuf_release(&where);
	strbuf_release(&text);
}

static void draw_frame(void *context, const struct frame_function *fn)
{
	struct toprow_page *p = context;

	if (next_line(p))
		draw_call(p, p->frames ? "   by " : "   at ", fn);
	p->frames++;
}

static void draw_stack(struct toprow_page *p, const struct stack *s, double lasted)
{
	const struct follow *f = p->follow;
	const struct reading *r = &f->reading;
	char bytes[UNIT_TEXT], allocated[UNIT_TEXT];
	struct strbuf text = { 0 };
	const char *end;

	if (next_line(p)) {
		canvas_addf(p->canvas, CANVAS_BOLD, "%s", format_bytes(bytes, s->m->current_bytes));
		canvas_addf(p->canvas, CANVAS_PLAIN, " in %lld block%s",
			(long long)s->m->current_blocks, s->m->current_blocks == 1 ? "" : "s");
		if (p->by != BY_THREAD) {
			top_add_growth(&text, s->m->current_bytes - f->site_marked[s->site]);
			canvas_addf(p->canvas, CANVAS_PLAIN, "%s%s", text.size ? ", " : "",
				strbuf_text(&text));
			strbuf_clear(&text);
		}
		top_add_count(&text, s->m->allocations);
		canvas_addf(p->canvas, CANVAS_PLAIN, "; %s allocation%s of %s", strbuf_text(&text),
			s->m->allocations == 1 ? "" : "s",
			format_bytes(allocated, (int64_t)s->m->allocated_bytes));
		strbuf_clear(&text);
		if (lasted > 0 && p->by != BY_THREAD && f->site_allocations[s->site]) {
			top_add_count(&text,
				(uint64_t)((double)f->site_allocations[s->site] / lasted + 0.5));
			canvas_addf(p->canvas, CANVAS_PLAIN, ", %s/s", strbuf_text(&text));
		}
	}
	strbuf_release(&text);
	p->frames = 0;
	end = stack_start(stack_walk(r->trace, r->resolver, s->site, draw_frame, p));
	if ((end || !p->frames) && next_line(p))
		canvas_addf(p->canvas, CANVAS_FAINT, "   %s", end ? end : NO_STACK);
	next_line(p);
}

static void draw_figures(struct toprow_page *p, const struct top_row *r, double lasted)
{
	static const struct {
		const char *title;
		enum sort_key key;
	} figures[] = { { "own peak", SORT_PEAK_BYTES }, { "at peak", SORT_AT_PEAK_BYTES },
		{ "allocated", SORT_ALLOCATED_BYTES }, { "allocs", SORT_ALLOCATIONS },
		{ "temp", SORT_TEMPORARY } };
	const struct measures *m = &r->row->m;
	struct strbuf text = { 0 };
	char number[UNIT_TEXT];

	if (next_line(p)) {
		canvas_addf(p->canvas, CANVAS_BOLD, "%s", format_bytes(number, m->current_bytes));
		canvas_addf(p->canvas, CANVAS_PLAIN, " in %lld block%s",
			(long long)m->current_blocks, m->current_blocks == 1 ? "" : "s");
		top_add_growth(&text, r->growth);
		if (text.size)
			canvas_addf(p->canvas, r->growth > 0 ? CANVAS_UP : CANVAS_DOWN, "  %s",
				strbuf_text(&text));
		strbuf_clear(&text);
		top_add_count(&text, lasted > 0 ? (uint64_t)((double)r->news / lasted + 0.5) : 0);
		if (lasted > 0)
			canvas_addf(p->canvas, CANVAS_PLAIN, "  %s allocs/s", strbuf_text(&text));
	}
	if (next_line(p)) {
		for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
			if (p->by == BY_THREAD && i < 2)
				continue;
			canvas_addf(p->canvas, CANVAS_FAINT, "%s ", figures[i].title);
			canvas_addf(p->canvas, CANVAS_PLAIN, "%s%s  ",
				figures[i].key == SORT_PEAK_BYTES && m->peak_is_bound ? "≤ " : "",
				format_measure(
					number, sort_measure(m, figures[i].key), figures[i].key));
		}
	}
	strbuf_release(&text);
	next_line(p);
}

static void draw_source(struct toprow_page *p, const struct row *row)
{
	struct source_cache *sources = p->follow->reading.sources;
	uint32_t from = row->line > SOURCE_AROUND ? row->line - SOURCE_AROUND : 1;

	if (!row->file || !row->line || !source_line(sources, row->file, row->line))
		return;
	for (uint32_t i = from; i <= row->line + SOURCE_AROUND; i++) {
		const char *line = source_line(sources, row->file, i);

		if (line && next_line(p))
			canvas_addf(p->canvas, i == row->line ? CANVAS_BOLD : CANVAS_FAINT,
				"%s%6u  %s", i == row->line ? ">" : " ", i, line);
	}
	next_line(p);
}

static void draw_heading(struct toprow_page *p, const struct row *row)
{
	struct strbuf where = { 0 }, function = { 0 };

	row_location(row, p->by, p->follow->reading.trace, p->paths, &where);
	row_function(row, &function);
	if (next_line(p)) {
		canvas_addf(p->canvas, CANVAS_BOLD, "%s%s", strbuf_text(&where),
			where.size && function.size ? "  " : "");
		canvas_add(p->canvas, CANVAS_BOLD, strbuf_text(&function));
	}
	strbuf_release(&where);
	strbuf_release(&function);
}

static void add_paths(struct toprow_page *p, const struct row *row)
{
	const struct reading *r = &p->follow->reading;

	paths_add(p->paths, row->file);
	paths_add(p->paths, row->module);
	for (size_t i = 0; i < p->count && i < STACKS_SHOWN; i++)
		stack_walk(r->trace, r->resolver, p->stacks[i].site, add_frame_paths, p->paths);
}

static void draw_page(struct toprow_page *p, const struct top_row *r, const struct profile *profile,
	double lasted)
{
	find_stacks(p, r, profile);
	add_paths(p, r->row);
	draw_heading(p, r->row);
	draw_figures(p, r, lasted);
	draw_source(p, r->row);
	for (size_t i = 0; i < p->count && i < STACKS_SHOWN; i++)
		draw_stack(p, &p->stacks[i], lasted);
	if (p->count > STACKS_SHOWN && next_line(p))
		canvas_addf(
			p->canvas, CANVAS_FAINT, "%zu more call stacks", p->count - STACKS_SHOWN);
}

size_t toprow_draw(struct toprow_page *p, const struct top_row *r, const struct profile *profile,
	double lasted, size_t first, size_t count, struct canvas *c)
{
	p->canvas = c;
	p->line = 0;
	p->first = first;
	p->end = first + count;
	p->paths = paths_new();
	if (r)
		draw_page(p, r, profile, lasted);
	else if (next_line(p))
		canvas_add(c, CANVAS_FAINT, "it holds nothing any more");
	paths_free(p->paths);
	p->paths = NULL;
	return p->line;
}
