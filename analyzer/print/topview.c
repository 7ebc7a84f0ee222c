/* SPDX-License-Identifier: MIT */
/*
 * topview.c - the rows of a profile with what changed in them, a cursor among them, and the pages
 * about one row and about the keys.
 */
#include "analyzer/print/topview.h"
#include "analyzer/base/array.h"
#include "analyzer/base/clock.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/json.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"
#include "analyzer/base/width.h"
#include "analyzer/print/canvas.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/print/timeline_plot.h"
#include "analyzer/print/toprow.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HISTORY 400
#define COMMAND_SHOWN 200 /* bytes */
#define SEARCH_MOST 100	  /* bytes */
#define WHERE_LEAST 12
#define FUNCTION_LEAST 16
#define PATHS_OF_ROWS 2000 /* that names of files are told apart among */

/* ---- columns */

static const struct column {
	const char *title, *name;
	size_t width;
	size_t from; /* the screen's width from which it is there without being asked for */
} columns[TOP_SORTS] = {
	[TOP_CURRENT] = { "current", "current_bytes", 9, 0 },
	[TOP_GROWTH] = { "growth", "growth", 9, 46 },
	[TOP_RATE] = { "allocs/s", "rate", 8, 60 },
	[TOP_BLOCKS] = { "blocks", "current_blocks", 8, 112 },
	[TOP_PEAK] = { "own peak", "peak_bytes", 10, 92 },
	[TOP_AT_PEAK] = { "at peak", "at_peak_bytes", 9, 140 },
	[TOP_ALLOCATED] = { "allocated", "allocated_bytes", 9, 126 },
	[TOP_ALLOCATIONS] = { "allocs", "allocations", 10, 156 },
	[TOP_TEMPORARY] = { "temp", "temporary", 10, 170 },
	[TOP_NAME] = { "where", "name", 0, 0 },
};

const char *const top_sort_names[] = { "current_bytes", "growth", "rate", "current_blocks",
	"peak_bytes", "at_peak_bytes", "allocated_bytes", "allocations", "temporary", "name",
	NULL };

static const enum sort_key measures_of[TOP_SORTS] = {
	[TOP_CURRENT] = SORT_CURRENT_BYTES,
	[TOP_BLOCKS] = SORT_CURRENT_BLOCKS,
	[TOP_PEAK] = SORT_PEAK_BYTES,
	[TOP_AT_PEAK] = SORT_AT_PEAK_BYTES,
	[TOP_ALLOCATED] = SORT_ALLOCATED_BYTES,
	[TOP_ALLOCATIONS] = SORT_ALLOCATIONS,
	[TOP_TEMPORARY] = SORT_TEMPORARY,
	[TOP_NAME] = SORT_NAME,
};

bool top_sort_find(const char *name, enum top_sort *sort)
{
	enum sort_key key;

	for (int i = 0; top_sort_names[i]; i++) {
		if (strcmp(name, top_sort_names[i]) == 0) {
			*sort = (enum top_sort)i;
			return true;
		}
	}
	if (!sort_key_find(name, &key))
		return false;
	for (int i = 0; i < TOP_SORTS; i++)
		if (i != TOP_GROWTH && i != TOP_RATE && measures_of[i] == key)
			*sort = (enum top_sort)i;
	return true;
}

/* ---- the view */

enum page {
	PAGE_ROWS,
	PAGE_ROW, /* one of them, opened */
	PAGE_HELP,
};

struct topview {
	struct follow *follow;
	enum profile_by by;
	enum top_sort sort;
	struct profile *profile;
	struct top_row *all, **rows; /* of the profile; those that are shown, in order */
	size_t row_count, shown;
	struct paths *paths; /* NULL: not asked for yet */

	size_t cursor, first;
	bool chosen; /* the cursor follows its row */
	uint64_t at; /* that row's name */
	size_t page_size;

	enum page page, before_help;
	struct toprow_page *opened;
	uint64_t opened_name;
	size_t scroll, scroll_most;

	struct strbuf search;
	bool typing;
	bool paused;
	double pace;
	int exit_status; /* < 0: unknown */
	uint64_t marked_ns;
	struct history {
		uint64_t values[HISTORY];
		size_t count;
	} heap, rss, rate;
};

static void remember(struct history *h, uint64_t value)
{
	if (h->count == HISTORY)
		memmove(h->values, h->values + 1, --h->count * sizeof(*h->values));
	h->values[h->count++] = value;
}

static uint64_t per_second(const struct topview *v, uint64_t count)
{
	return v->follow->lasted > 0 ? (uint64_t)((double)count / v->follow->lasted + 0.5) : 0;
}

/* ---- rows */

static int64_t sort_number(const struct top_row *r, enum top_sort sort)
{
	return sort == TOP_GROWTH ? r->growth : (int64_t)r->news;
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct top_row *a = *(struct top_row *const *)left;
	const struct top_row *b = *(struct top_row *const *)right;
	enum top_sort sort = *(enum top_sort *)context;
	int64_t x, y;

	if (sort != TOP_GROWTH && sort != TOP_RATE)
		return row_order(a->row, b->row, measures_of[sort]);
	x = sort_number(a, sort);
	y = sort_number(b, sort);
	return x == y ? row_order(a->row, b->row, SORT_CURRENT_BYTES) : x < y ? 1 : -1;
}

static void sum_sites(struct topview *v)
{
	const struct follow *f = v->follow;
	const struct trace *t = f->reading.trace;

	for (uint32_t i = 1; i < t->site_count; i++) {
		uint32_t row = v->profile->row_of_site[i];

		if (row == UINT32_MAX)
			continue;
		v->all[row].growth -= f->site_marked[i];
		v->all[row].news += f->site_allocations[i];
	}
}

static void fill_rows(struct topview *v)
{
	const struct follow *f = v->follow;

	for (size_t i = 0; i < v->row_count; i++) {
		const struct row *row = &v->profile->rows[i];

		v->all[i] = (struct top_row){ row, row_name(row), row->m.current_bytes, 0 };
		if (v->by == BY_SITE)
			v->all[i].name = f->site_names[row->site];
		if (v->by != BY_THREAD)
			continue;
		v->all[i].name = f->lane_names[row->lane];
		v->all[i].growth -= f->lane_marked[row->lane];
		v->all[i].news = f->lane_allocations[row->lane];
	}
	if (v->by != BY_THREAD)
		sum_sites(v);
}

static bool is_shown(const struct topview *v, const struct top_row *r)
{
	const struct reading *reading = &v->follow->reading;

	return !v->search.size || top_row_has(r->row, v->by, reading->trace, reading->resolver,
					  strbuf_text(&v->search));
}

/* The cursor stays on its row, if that is what it was put on. */
static void place_cursor(struct topview *v)
{
	for (size_t i = 0; v->chosen && i < v->shown; i++) {
		if (v->rows[i]->name == v->at) {
			v->cursor = i;
			return;
		}
	}
	if (v->cursor >= v->shown)
		v->cursor = v->shown ? v->shown - 1 : 0;
	v->at = v->shown ? v->rows[v->cursor]->name : 0;
}

static void order_rows(struct topview *v)
{
	v->shown = 0;
	for (size_t i = 0; i < v->row_count; i++)
		if (is_shown(v, &v->all[i]))
			v->rows[v->shown++] = &v->all[i];
	qsort_r(v->rows, v->shown, sizeof(struct top_row *), compare_rows, &v->sort);
	paths_free(v->paths);
	v->paths = NULL;
	place_cursor(v);
}

static void make_rows(struct topview *v)
{
	const struct reading *r = &v->follow->reading;

	profile_free(v->profile);
	v->profile = profile_new(r->trace, r->resolver, v->by, false);
	v->row_count = v->profile->row_count;
	v->all = mem_resize(v->all, v->row_count + 1, sizeof(*v->all));
	v->rows = mem_resize(v->rows, v->row_count + 1, sizeof(struct top_row *));
	fill_rows(v);
	order_rows(v);
	if (v->opened)
		toprow_update(v->opened);
}

/* A trace that has ended shows how it came there. */
static void recall(struct topview *v)
{
	const struct trace *t = v->follow->reading.trace;
	struct timeline *line;

	if (!v->follow->over || v->by == BY_THREAD || timeline_missing(t))
		return;
	line = timeline_new(t, v->profile);
	for (size_t i = 0; i < line->count; i++) {
		size_t to = line->end_ns ? (size_t)((double)line->points[i].p.ns /
						    (double)line->end_ns * HISTORY)
					 : HISTORY;

		while (v->heap.count < to && v->heap.count < HISTORY) {
			const struct timeline_point *p = &line->points[i ? i - 1 : 0];

			remember(&v->heap, i ? p->p.live_bytes : 0);
			remember(&v->rss, timeline_rss(p));
		}
	}
	timeline_free(line);
}

void topview_update(struct topview *v)
{
	make_rows(v);
	remember(&v->heap, (uint64_t)v->profile->totals.all.current_bytes);
	if (v->follow->rss_bytes)
		remember(&v->rss, v->follow->rss_bytes);
	if (v->follow->lasted > 0)
		remember(&v->rate, per_second(v, v->follow->allocations));
}

struct topview *topview_new(struct follow *follow, enum profile_by by, enum top_sort sort)
{
	struct topview *v = mem_zalloc(1, sizeof(*v));

	v->follow = follow;
	v->by = by;
	v->sort = sort;
	v->page_size = 1;
	v->exit_status = -1;
	v->marked_ns = clock_ns(CLOCK_MONOTONIC);
	make_rows(v);
	recall(v);
	remember(&v->heap, (uint64_t)v->profile->totals.all.current_bytes);
	if (follow->rss_bytes)
		remember(&v->rss, follow->rss_bytes);
	return v;
}

void topview_free(struct topview *v)
{
	if (!v)
		return;
	toprow_close(v->opened);
	paths_free(v->paths);
	profile_free(v->profile);
	free(v->all);
	free(v->rows);
	strbuf_release(&v->search);
	free(v);
}

void topview_set_pace(struct topview *v, double seconds)
{
	v->pace = seconds;
}

void topview_set_exit_status(struct topview *v, int status)
{
	v->exit_status = status;
}

bool topview_is_paused(const struct topview *v)
{
	return v->paused;
}

/* ---- the head */

static void add_ended(const struct trace *t, struct strbuf *text)
{
	uint32_t status = t->header.wait_status;
	bool known = t->header.flags & MT_HAS_WAIT_STATUS;

	strbuf_add(text, "ended");
	if (known && WIFEXITED(status))
		strbuf_addf(text, ": exit %d", WEXITSTATUS(status));
	else if (known && WIFSIGNALED(status))
		strbuf_addf(
			text, ": signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (trace_went_on(t))
		strbuf_addf(
			text, ": went on as %s", t->went_on_as ? t->went_on_as : "another program");
	else if (t->state == TRACE_DIED)
		strbuf_add(text, ": unseen (a signal, or a crash)");
}

void topview_state(const struct topview *v, struct strbuf *text)
{
	const struct trace *t = v->follow->reading.trace;
	char time[UNIT_TEXT];
	uint64_t ns;

	if (v->follow->over) {
		if (t->process_count <= 1)
			add_ended(t, text);
		else if (v->exit_status >= 0)
			strbuf_addf(text, "ended: exit %d", v->exit_status);
		else
			strbuf_add(text, "ended");
		return;
	}
	(void)trace_run_time(t, &ns);
	strbuf_addf(text, "running %s", format_duration(time, ns));
}

static void draw_title(struct topview *v, struct canvas *c)
{
	const struct trace *t = v->follow->reading.trace;
	struct strbuf command = { 0 }, state = { 0 };
	size_t room;

	topview_state(v, &state);
	if (v->follow->ended)
		strbuf_addf(&state, " · %u ended", v->follow->ended);
	if (v->paused)
		strbuf_add(&state, " · paused");
	else if (v->pace >= 1.5 && !v->follow->over)
		strbuf_addf(&state, " · every %.0f s", v->pace);
	summary_command(t, COMMAND_SHOWN, &command);
	if (!t->process_count)
		strbuf_addf(&command, " (%u)", t->header.pid);
	canvas_line(c);
	canvas_reverse(c);
	room = c->width > text_width(strbuf_text(&state)) + 12
		       ? c->width - text_width(strbuf_text(&state)) - 3
		       : c->width;
	canvas_add(c, CANVAS_BOLD, " ");
	canvas_cell(c, CANVAS_BOLD, strbuf_text(&command), room - 1);
	strbuf_add(&state, " ");
	canvas_right(c, CANVAS_PLAIN, strbuf_text(&state));
	strbuf_release(&command);
	strbuf_release(&state);
}

static void draw_curve(const struct history *h, struct canvas *c, size_t text_end)
{
	struct strbuf line = { 0 };
	size_t width, from;
	uint64_t most = 0;

	if (c->width < text_end + 12)
		return;
	width = c->width - text_end - 2;
	width = width < HISTORY ? width : HISTORY;
	width = width < h->count ? width : h->count;
	from = h->count - width;
	for (size_t i = from; i < h->count; i++)
		most = h->values[i] > most ? h->values[i] : most;
	for (size_t i = from; i < h->count; i++)
		sparkline_add_height(&line, h->values[i], most, c->ascii);
	canvas_pad(c, text_end + 1);
	canvas_add(c, CANVAS_FAINT, strbuf_text(&line));
	strbuf_release(&line);
}

#define HEAD_TEXT 53 /* columns, before the curves */

static void draw_heap(const struct topview *v, struct canvas *c)
{
	const struct measures *m = &v->profile->totals.all;
	char now[UNIT_TEXT], peak[UNIT_TEXT];

	canvas_line(c);
	canvas_add(c, CANVAS_FAINT, "heap   ");
	canvas_number(c, CANVAS_BOLD, format_bytes(now, m->current_bytes), 8);
	canvas_addf(c, CANVAS_PLAIN, "in %lld block%s, %s%s", (long long)m->current_blocks,
		m->current_blocks == 1 ? "" : "s",
		v->follow->reading.trace->process_count > 1 ? "peaks " : "peak ",
		format_bytes(peak, (int64_t)m->peak_bytes));
	draw_curve(&v->heap, c, HEAD_TEXT);
}

static void draw_rss(const struct topview *v, struct canvas *c)
{
	char now[UNIT_TEXT];

	canvas_line(c);
	canvas_add(c, CANVAS_FAINT, "RSS    ");
	canvas_number(c, CANVAS_BOLD,
		v->follow->rss_bytes ? format_bytes(now, (int64_t)v->follow->rss_bytes) : "?", 8);
	if (v->follow->living)
		canvas_add(c, CANVAS_PLAIN, "with the tracer's own");
	draw_curve(&v->rss, c, HEAD_TEXT);
}

static void draw_rate(const struct topview *v, struct canvas *c)
{
	const struct measures *m = &v->profile->totals.all;
	char bytes[UNIT_TEXT], share[UNIT_TEXT];
	struct strbuf each = { 0 };

	canvas_line(c);
	canvas_add(c, CANVAS_FAINT, "allocs ");
	top_add_count(&each, per_second(v, v->follow->allocations));
	if (v->follow->lasted > 0)
		strbuf_add(&each, "/s");
	else
		strbuf_clear(&each);
	canvas_number(c, CANVAS_BOLD, strbuf_text(&each), 8);
	if (v->follow->lasted > 0)
		canvas_addf(c, CANVAS_PLAIN, "%s/s; ",
			format_bytes(bytes, (int64_t)per_second(v, v->follow->allocated_bytes)));
	strbuf_clear(&each);
	top_add_count(&each, m->allocations);
	canvas_addf(c, CANVAS_PLAIN, "%s in all", strbuf_text(&each));
	if (m->allocations)
		canvas_addf(c, CANVAS_PLAIN, ", %s temp",
			format_share(share, m->temporary, m->allocations));
	if (v->rate.count)
		draw_curve(&v->rate, c, HEAD_TEXT);
	strbuf_release(&each);
}

/* One line instead of three. */
static void draw_small_head(const struct topview *v, struct canvas *c)
{
	char heap[UNIT_TEXT], rss[UNIT_TEXT];
	struct strbuf rate = { 0 };

	canvas_line(c);
	canvas_addf(c, CANVAS_BOLD, "heap %s",
		format_bytes(heap, v->profile->totals.all.current_bytes));
	if (v->follow->rss_bytes)
		canvas_addf(c, CANVAS_PLAIN, "  RSS %s",
			format_bytes(rss, (int64_t)v->follow->rss_bytes));
	if (v->follow->lasted > 0) {
		top_add_count(&rate, per_second(v, v->follow->allocations));
		canvas_addf(c, CANVAS_PLAIN, "  %s allocs/s", strbuf_text(&rate));
	}
	strbuf_release(&rate);
}

static void draw_order(const struct topview *v, struct canvas *c)
{
	char time[UNIT_TEXT];

	canvas_line(c);
	canvas_add(c, CANVAS_FAINT, "by ");
	canvas_add(c, CANVAS_PLAIN, profile_by_names[v->by]);
	canvas_add(c, CANVAS_FAINT, ", sorted by ");
	canvas_add(c, CANVAS_PLAIN, columns[v->sort].title);
	canvas_add(c, CANVAS_FAINT, ", growth over ");
	canvas_add(
		c, CANVAS_PLAIN, format_duration(time, clock_ns(CLOCK_MONOTONIC) - v->marked_ns));
	if (v->follow->reading.trace->header.sample_bytes)
		canvas_add(c, CANVAS_UP, "  estimates (sampled)");
	if (v->search.size) {
		canvas_addf(c, CANVAS_FAINT, "  %zu of %zu with ", v->shown, v->row_count);
		canvas_add(c, CANVAS_BOLD, strbuf_text(&v->search));
	}
}

/* ---- the table */

struct layout {
	bool columns[TOP_SORTS];
	size_t where; /* columns that it has; the function has the rest */
};

/* By threads there are no peaks. */
static bool has_column(const struct topview *v, int i)
{
	return v->by != BY_THREAD || (i != TOP_PEAK && i != TOP_AT_PEAK);
}

static struct paths *paths_of(struct topview *v)
{
	if (v->paths)
		return v->paths;
	v->paths = paths_new();
	for (size_t i = 0; i < v->row_count && i < PATHS_OF_ROWS; i++) {
		paths_add(v->paths, v->all[i].row->file);
		paths_add(v->paths, v->all[i].row->module);
	}
	return v->paths;
}

static void widen(size_t *width, struct strbuf *raw)
{
	struct strbuf clean = { 0 };
	size_t own;

	strbuf_add_clean(&clean, strbuf_text(raw));
	own = text_width(strbuf_text(&clean));
	*width = own > *width ? own : *width;
	strbuf_release(&clean);
	strbuf_clear(raw);
}

/* What both get of the room, where it doesn't do for all. */
static size_t share_out(size_t where, size_t function, size_t room)
{
	size_t least = room * 2 / 5;

	if (where + 2 + function <= room || where <= least)
		return where;
	return function + 2 + least < room ? room - function - 2 : least;
}

static size_t where_width(struct topview *v, size_t lines, size_t room)
{
	size_t where = sizeof("where") - 1, function = sizeof("function") - 1;
	struct strbuf raw = { 0 };

	for (size_t i = v->first; i < v->shown && i < v->first + lines; i++) {
		const struct row *row = v->rows[i]->row;

		row_location(row, v->by, v->follow->reading.trace, paths_of(v), &raw);
		widen(&where, &raw);
		row_function(row, &raw);
		widen(&function, &raw);
	}
	strbuf_release(&raw);
	return share_out(where, function, room);
}

static struct layout lay_out(struct topview *v, size_t width, size_t lines)
{
	struct layout l = { 0 };
	size_t numbers = 0, rest;

	for (int i = 0; i < TOP_NAME; i++) {
		l.columns[i] = has_column(v, i) && (width >= columns[i].from || i == (int)v->sort);
		numbers += l.columns[i] ? columns[i].width + 1 : 0;
	}
	rest = width > numbers + 1 ? width - numbers - 1 : 0;
	l.where = where_width(v, lines, rest);
	if (v->by == BY_THREAD || v->by == BY_MODULE || v->by == BY_FILE ||
		rest < WHERE_LEAST + FUNCTION_LEAST)
		l.where = rest;
	return l;
}

static void draw_titles(const struct topview *v, const struct layout *l, struct canvas *c)
{
	canvas_line(c);
	for (int i = 0; i < TOP_NAME; i++)
		if (l->columns[i])
			canvas_number(c, i == (int)v->sort ? CANVAS_BOLD : CANVAS_FAINT,
				columns[i].title, columns[i].width);
	canvas_add(c, CANVAS_PLAIN, " ");
	canvas_cell(c, v->sort == TOP_NAME ? CANVAS_BOLD : CANVAS_FAINT,
		v->by == BY_THREAD ? "thread" : "where", l->where + 1);
	if (canvas_room(c) > 1)
		canvas_add(c, CANVAS_FAINT, "function");
}

static void draw_number(
	const struct topview *v, const struct top_row *r, int column, struct canvas *c)
{
	struct strbuf text = { 0 };
	enum canvas_style how = CANVAS_PLAIN;
	char number[UNIT_TEXT];

	if (column == TOP_GROWTH) {
		how = r->growth > 0 ? CANVAS_UP : CANVAS_DOWN;
		top_add_growth(&text, r->growth);
	} else if (column == TOP_RATE) {
		if (r->news)
			top_add_count(&text, per_second(v, r->news));
	} else {
		int64_t value = sort_measure(&r->row->m, measures_of[column]);

		if (column == TOP_PEAK && r->row->m.peak_is_bound)
			strbuf_add(&text, "≤");
		if (measure_is_bytes(measures_of[column]))
			strbuf_add(&text, format_bytes(number, value));
		else
			top_add_count(&text, (uint64_t)(value > 0 ? value : 0));
	}
	canvas_number(c, how, strbuf_text(&text), columns[column].width);
	strbuf_release(&text);
}

static void draw_row(
	struct topview *v, const struct top_row *r, const struct layout *l, struct canvas *c)
{
	struct strbuf raw = { 0 }, clean = { 0 }, text = { 0 };

	for (int i = 0; i < TOP_NAME; i++)
		if (l->columns[i])
			draw_number(v, r, i, c);
	canvas_add(c, CANVAS_PLAIN, " ");
	row_location(r->row, v->by, v->follow->reading.trace, paths_of(v), &raw);
	strbuf_add_clean(&clean, strbuf_text(&raw));
	if (!clean.size && l->where == canvas_room(c))
		strbuf_add(&clean, r->row->function ? r->row->function : "");
	strbuf_add_path(&text, strbuf_text(&clean), l->where);
	canvas_cell(c, CANVAS_PLAIN, strbuf_text(&text), l->where + 1);
	strbuf_clear(&raw);
	strbuf_clear(&clean);
	strbuf_clear(&text);
	row_function(r->row, &raw);
	strbuf_add_clean(&clean, strbuf_text(&raw));
	if (canvas_room(c) > 1) {
		strbuf_add_name(&text, strbuf_text(&clean), canvas_room(c));
		canvas_add(c, CANVAS_PLAIN, strbuf_text(&text));
	}
	strbuf_release(&raw);
	strbuf_release(&clean);
	strbuf_release(&text);
}

/* So that the cursor is among the rows that are drawn. */
static void place_window(struct topview *v, size_t lines)
{
	v->page_size = lines ? lines : 1;
	if (v->cursor < v->first)
		v->first = v->cursor;
	if (v->cursor >= v->first + v->page_size)
		v->first = v->cursor + 1 - v->page_size;
	if (v->first + v->page_size > v->shown)
		v->first = v->shown > v->page_size ? v->shown - v->page_size : 0;
}

static void draw_rows(
	struct topview *v, struct canvas *c, const struct layout *l, size_t lines, bool cursor)
{
	for (size_t i = v->first; i < v->shown && i < v->first + lines; i++) {
		canvas_line(c);
		draw_row(v, v->rows[i], l, c);
		if (cursor && i == v->cursor)
			canvas_reverse(c);
	}
	if (!v->shown && lines) {
		canvas_line(c);
		canvas_add(c, CANVAS_FAINT,
			v->row_count ? "  no row has this" : "  nothing was allocated");
	}
}

/* ---- pages */

#define HEAD_FROM 12 /* lines of a screen for the whole head */
#define SMALL_FROM 6

static void draw_head(struct topview *v, struct canvas *c, bool whole)
{
	draw_title(v, c);
	if (whole) {
		draw_heap(v, c);
		draw_rss(v, c);
		draw_rate(v, c);
		draw_order(v, c);
	} else if (c->height >= SMALL_FROM) {
		draw_small_head(v, c);
	}
}

static const struct hint {
	const char *key, *text;
} rows_keys[] = { { "q", "quit" }, { "?", "help" }, { "enter", "open" }, { "b", "by" },
	{ "< >", "sort" }, { "/", "search" }, { "space", "pause" }, { "z", "growth from now" },
	{ NULL, NULL } },
  row_keys[] = { { "esc", "back" }, { "up/down", "scroll" }, { "space", "pause" }, { "q", "quit" },
	  { NULL, NULL } },
  help_keys[] = { { "esc", "back" }, { "q", "quit" }, { NULL, NULL } };

static void draw_keys(const struct hint *hints, struct canvas *c)
{
	canvas_line(c);
	for (; hints->key; hints++) {
		if (canvas_room(c) < strlen(hints->key) + strlen(hints->text) + 2)
			break;
		canvas_addf(c, CANVAS_BOLD, "%s ", hints->key);
		canvas_addf(c, CANVAS_FAINT, "%s  ", hints->text);
	}
}

static void draw_foot(const struct topview *v, struct canvas *c)
{
	while (canvas_left(c) > 1)
		canvas_line(c);
	if (v->typing) {
		canvas_line(c);
		canvas_addf(c, CANVAS_BOLD, "/%s", strbuf_text(&v->search));
		canvas_add(c, CANVAS_REVERSE, " ");
		canvas_add(c, CANVAS_FAINT, "  enter keeps it, esc ends it");
	} else {
		draw_keys(v->page == PAGE_ROWS	? rows_keys
			  : v->page == PAGE_ROW ? row_keys
						: help_keys,
			c);
	}
}

static void draw_help(struct topview *v, struct canvas *c)
{
	static const char *const text[] = {
		"l f F m t s  rows by line, function, file, module, thread, site (call stack)",
		"b            the next of these",
		"< >          sort by the column to the left, to the right",
		"c g r p a    sort by current, growth, allocs/s, own peak, allocated",
		"z            measure growth from now on",
		"up down page-up page-down home end    move",
		"enter        open a row: its figures, source and call stacks; esc: back",
		"/            show only rows with a text in them; esc: all",
		"space        pause, go on",
		"q            quit (a program that was started here goes on)",
		"",
		"current      what it holds now",
		"growth       how much more that is than when the view began, or z was pressed",
		"allocs/s     allocations in the last interval",
		"own peak     the most that it ever held (≤: at most)",
		"at peak      what it held when the whole program's memory was highest",
		"temp         allocations freed before the thread's next allocation",
		"RSS          resident memory of the processes, the tracer's included",
		"",
		"Of several processes it is the sum of those that live; what a forked child has",
		"from its parent counts in both.",
	};
	size_t lines = canvas_left(c) > 1 ? canvas_left(c) - 1 : 0;

	v->scroll_most = ARRAY_SIZE(text) > lines ? ARRAY_SIZE(text) - lines : 0;
	v->scroll = v->scroll < v->scroll_most ? v->scroll : v->scroll_most;
	v->page_size = lines ? lines : 1;
	for (size_t i = v->scroll; i < ARRAY_SIZE(text) && lines; i++, lines--) {
		canvas_line(c);
		canvas_addf(c, CANVAS_PLAIN, "%s", text[i]);
	}
}

static const struct top_row *opened_row(const struct topview *v)
{
	for (size_t i = 0; i < v->row_count; i++)
		if (v->all[i].name == v->opened_name)
			return &v->all[i];
	return NULL;
}

static void draw_opened(struct topview *v, struct canvas *c)
{
	size_t lines = canvas_left(c) > 1 ? canvas_left(c) - 1 : 0, total, above = c->count;

	v->page_size = lines ? lines : 1;
	total = toprow_draw(
		v->opened, opened_row(v), v->profile, v->follow->lasted, v->scroll, lines, c);
	v->scroll_most = total > lines ? total - lines : 0;
	if (v->scroll > v->scroll_most) {
		v->scroll = v->scroll_most;
		c->count = above;
		draw_opened(v, c);
	}
}

static void draw_list(struct topview *v, struct canvas *c, size_t foot, bool cursor)
{
	bool titles = canvas_left(c) > foot + 1;
	size_t used = foot + titles, lines = canvas_left(c) > used ? canvas_left(c) - used : 0;
	struct layout l;

	place_window(v, lines);
	l = lay_out(v, c->width, lines);
	if (titles)
		draw_titles(v, &l, c);
	draw_rows(v, c, &l, lines, cursor);
}

void topview_draw_plain(struct topview *v, struct canvas *c)
{
	draw_head(v, c, true);
	draw_list(v, c, 0, false);
}

void topview_draw(struct topview *v, struct canvas *c)
{
	size_t foot = c->height >= SMALL_FROM - 1;

	if (v->page == PAGE_HELP) {
		draw_title(v, c);
		draw_help(v, c);
	} else if (v->page == PAGE_ROW) {
		draw_title(v, c);
		draw_opened(v, c);
	} else {
		draw_head(v, c, c->height >= HEAD_FROM);
		draw_list(v, c, foot, true);
	}
	if (foot || v->typing)
		draw_foot(v, c);
}

/* ---- keys */

static void set_by(struct topview *v, enum profile_by by)
{
	if (v->by == by)
		return;
	v->by = by;
	v->cursor = v->first = 0;
	v->chosen = false;
	if (!has_column(v, (int)v->sort))
		v->sort = TOP_CURRENT;
	make_rows(v);
}

static void set_sort(struct topview *v, enum top_sort sort)
{
	if (!has_column(v, (int)sort))
		return;
	v->sort = sort;
	if (!v->chosen)
		v->cursor = v->first = 0;
	order_rows(v);
}

static void step_sort(struct topview *v, int step)
{
	int sort = (int)v->sort;

	do
		sort = (sort + step + TOP_SORTS) % TOP_SORTS;
	while (!has_column(v, sort));
	set_sort(v, (enum top_sort)sort);
}

static void move_cursor(struct topview *v, long by)
{
	long to = (long)v->cursor + by;

	if (to >= (long)v->shown)
		to = (long)v->shown - 1;
	v->cursor = to > 0 ? (size_t)to : 0;
	v->chosen = v->cursor > 0;
	v->at = v->shown ? v->rows[v->cursor]->name : 0;
}

static void scroll(struct topview *v, long by)
{
	long to = (long)v->scroll + by;

	if (to > (long)v->scroll_most)
		to = (long)v->scroll_most;
	v->scroll = to > 0 ? (size_t)to : 0;
}

static void move(struct topview *v, long by)
{
	if (v->page == PAGE_ROWS)
		move_cursor(v, by);
	else
		scroll(v, by);
}

static bool press_move(struct topview *v, int key)
{
	long page = (long)v->page_size;

	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		move(v, -1);
		return true;
	case TOP_KEY_DOWN:
	case 'j':
		move(v, 1);
		return true;
	case TOP_KEY_PAGE_UP:
		move(v, -page);
		return true;
	case TOP_KEY_PAGE_DOWN:
		move(v, page);
		return true;
	case TOP_KEY_HOME:
		move(v, -(long)INT32_MAX);
		return true;
	case TOP_KEY_END:
		move(v, INT32_MAX);
		return true;
	default:
		return false;
	}
}

static void start_search(struct topview *v)
{
	v->page = PAGE_ROWS;
	v->typing = true;
	strbuf_clear(&v->search);
	order_rows(v);
}

static void shorten_search(struct topview *v)
{
	size_t size = v->search.size;

	while (size && ((unsigned char)v->search.text[size - 1] & 0xc0) == 0x80)
		size--;
	if (!size)
		return;
	v->search.size = size - 1;
	v->search.text[size - 1] = '\0';
}

static void press_in_search(struct topview *v, int key)
{
	char byte = (char)key;

	if (key == TOP_KEY_ESCAPE)
		strbuf_clear(&v->search);
	if (key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER)
		v->typing = false;
	else if (key == TOP_KEY_BACKSPACE)
		shorten_search(v);
	else if (key >= ' ' && key < 0x100 && key != 0x7f && v->search.size < SEARCH_MOST)
		strbuf_add_bytes(&v->search, &byte, 1);
	else if (press_move(v, key))
		return;
	v->chosen = false;
	v->cursor = v->first = 0;
	order_rows(v);
}

static void open_row(struct topview *v)
{
	if (!v->shown)
		return;
	v->at = v->opened_name = v->rows[v->cursor]->name;
	v->chosen = true;
	v->opened = toprow_open(v->follow, v->by);
	v->page = PAGE_ROW;
	v->scroll = 0;
}

static void go_back(struct topview *v)
{
	if (v->page == PAGE_HELP) {
		v->page = v->before_help;
		v->scroll = 0;
	} else if (v->page == PAGE_ROW) {
		v->page = PAGE_ROWS;
		toprow_close(v->opened);
		v->opened = NULL;
	} else if (v->search.size) {
		strbuf_clear(&v->search);
		order_rows(v);
	}
}

static void show_help(struct topview *v)
{
	if (v->page != PAGE_HELP)
		v->before_help = v->page;
	v->page = PAGE_HELP;
	v->scroll = 0;
}

static void mark(struct topview *v)
{
	follow_mark(v->follow);
	v->marked_ns = clock_ns(CLOCK_MONOTONIC);
	fill_rows(v);
	order_rows(v);
}

static void press_in_rows(struct topview *v, int key)
{
	static const char by[] = "lfFmst", sorts[] = "cgr\1p\1a"; /* in the order of the enums */
	const char *found;

	if (key == '<' || key == TOP_KEY_LEFT)
		step_sort(v, -1);
	else if (key == '>' || key == TOP_KEY_RIGHT)
		step_sort(v, 1);
	else if (key == 'b')
		set_by(v, (enum profile_by)((v->by + 1) % (BY_THREAD + 1)));
	else if (key == TOP_KEY_ENTER)
		open_row(v);
	else if (key > ' ' && key < 0x7f && (found = strchr(by, key)))
		set_by(v, (enum profile_by)(found - by));
	else if (key > ' ' && key < 0x7f && (found = strchr(sorts, key)))
		set_sort(v, (enum top_sort)(found - sorts));
}

bool topview_press(struct topview *v, int key)
{
	if (v->typing) {
		press_in_search(v, key);
		return true;
	}
	if (key == 'q' || key == 'Q')
		return false;
	if (key == '?' || key == 'h')
		show_help(v);
	else if (key == ' ')
		v->paused = !v->paused;
	else if (key == TOP_KEY_ESCAPE || key == TOP_KEY_BACKSPACE)
		go_back(v);
	else if (key == '/')
		start_search(v);
	else if (key == 'z')
		mark(v);
	else if (!press_move(v, key) && v->page == PAGE_ROWS)
		press_in_rows(v, key);
	return true;
}

/* ---- for machines */

static void json_row(const struct topview *v, const struct top_row *r, struct json *j)
{
	const struct reading *reading = &v->follow->reading;

	json_object(j, NULL, true);
	row_json(r->row, v->profile, reading->trace, j);
	if (v->by == BY_SITE)
		stack_json(reading->trace, reading->resolver, r->row->site, j);
	json_signed(j, "growth_bytes", r->growth);
	json_real(j, "allocations_per_s",
		v->follow->lasted > 0 ? (double)r->news / v->follow->lasted : 0);
	json_close(j);
}

void topview_json(const struct topview *v, size_t limit, struct json *j)
{
	const struct follow *f = v->follow;
	size_t shown = limit && limit < v->shown ? limit : v->shown;
	double rate = f->lasted > 0 ? (double)f->allocations / f->lasted : 0;
	double bytes = f->lasted > 0 ? (double)f->allocated_bytes / f->lasted : 0;

	summary_json_now(f->reading.trace, &v->profile->totals, rate, j);
	json_real(j, "allocations_per_s", rate);
	json_real(j, "allocated_bytes_per_s", bytes);
	json_known(j, "rss_bytes", f->rss_bytes);
	json_unsigned(j, "processes_running", f->living);
	json_text(j, "by", profile_by_names[v->by]);
	json_text(j, "sort", top_sort_names[v->sort]);
	json_unsigned(j, "row_count", v->shown);
	json_array(j, "rows", shown == 0);
	for (size_t i = 0; i < shown; i++)
		json_row(v, v->rows[i], j);
	json_close(j);
	reading_json(&f->reading, j);
}
