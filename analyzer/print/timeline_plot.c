/* SPDX-License-Identifier: MIT */
/* timeline_plot.c - draws into a grid of heights, and writes that as characters. */
#include "analyzer/print/timeline_plot.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 12	       /* lines of the plot */
#define LABEL_WIDTH 10 /* columns left of it */
#define DOTS 4	       /* of a braille character, upwards; 2 across */
#define WIDTH_MOST 400
#define RSS_TIMES 8 /* the heap's peak: what is higher would press it flat */

bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

bool plot_has_rss(const struct timeline *t)
{
	return t->rss_most && t->rss_most / RSS_TIMES <= t->bytes_most;
}

char plot_mark(size_t number)
{
	static const char names[PLOT_MARKS + 1] = "123456789abcdefghijklmnopqrstuvwxyz";

	return number < PLOT_MARKS ? names[number] : '*';
}

/* ---- from points to columns */

static size_t column_of(const struct timeline *t, uint64_t ns, size_t columns)
{
	size_t column;

	if (!t->end_ns || columns < 2)
		return 0;
	column = (size_t)((double)ns / (double)t->end_ns * (double)columns);
	return column < columns ? column : columns - 1;
}

static void raise(uint64_t *height, uint64_t value)
{
	if (value > *height)
		*height = value;
}

/* The highest value in each column, and the last that came before it. The caller frees it. */
static uint64_t *heights(const struct timeline *t, const uint64_t *values, size_t columns)
{
	uint64_t *high = mem_zalloc(columns + 1, sizeof(*high)), last = 0;
	size_t column = 0;

	for (size_t i = 0; i < t->count; i++) {
		size_t at = column_of(t, t->points[i].p.ns, columns);

		while (column < at)
			raise(&high[column++], last);
		raise(&high[at], last);
		raise(&high[at], values[i]);
		last = values[i];
	}
	while (column < columns)
		raise(&high[column++], last);
	return high;
}

/* Of `rows`; anything above 0 can be seen. */
static size_t scaled(uint64_t value, uint64_t most, size_t rows)
{
	size_t n;

	if (!value || !most)
		return 0;
	n = (size_t)((double)value / (double)most * (double)rows + 0.5);
	return n == 0 ? 1 : n < rows ? n : rows;
}

/* ---- the grid */

struct grid {
	size_t columns, rows; /* dots */
	unsigned char *dots;  /* rows of columns, from the bottom: 1 heap, 2 resident memory */
};

static void draw_area(struct grid *g, const uint64_t *high, uint64_t most)
{
	for (size_t x = 0; x < g->columns; x++)
		for (size_t y = 0; y < scaled(high[x], most, g->rows); y++)
			g->dots[y * g->columns + x] |= 1;
}

/* Where it jumps, up or down, the dots between. */
static void draw_line(struct grid *g, const uint64_t *high, uint64_t most)
{
	size_t before = 0;

	for (size_t x = 0; x < g->columns; x++) {
		size_t y = scaled(high[x], most, g->rows), from = before ? before : y;

		before = y;
		if (!y)
			continue;
		g->dots[(y - 1) * g->columns + x] |= 2;
		for (; from < y; from++)
			g->dots[(from - 1) * g->columns + x] |= 2;
		for (; from > y; from--)
			g->dots[(from - 1) * g->columns + x] |= 2;
	}
}

static void add_braille(struct strbuf *text, const struct grid *g, size_t line, size_t cell)
{
	static const unsigned char bits[DOTS][2] = { { 0x40, 0x80 }, { 0x04, 0x20 }, { 0x02, 0x10 },
		{ 0x01, 0x08 } }; /* from the bottom */
	unsigned code = 0;

	for (size_t y = 0; y < DOTS; y++)
		for (size_t x = 0; x < 2; x++)
			if (g->dots[(line * DOTS + y) * g->columns + 2 * cell + x])
				code |= bits[y][x];
	if (!code)
		strbuf_add(text, " ");
	else
		strbuf_addf(text, "\xe2%c%c", 0xa0 | code >> 6, 0x80 | (code & 0x3f));
}

static void add_ascii(struct strbuf *text, const struct grid *g, size_t line, size_t cell)
{
	unsigned char dot = g->dots[line * g->columns + cell];

	strbuf_add(text, dot & 2 ? "-" : dot & 1 ? "#" : " ");
}

static void add_cell(
	struct strbuf *text, const struct grid *g, size_t line, size_t cell, bool ascii)
{
	if (ascii)
		add_ascii(text, g, line, cell);
	else
		add_braille(text, g, line, cell);
}

static void trim(struct strbuf *text)
{
	while (text->size && text->text[text->size - 1] == ' ')
		text->text[--text->size] = '\0';
}

/* "12.0 MiB" at the top, the middle and the bottom. */
static void add_label(struct strbuf *text, size_t line, uint64_t most)
{
	char bytes[UNIT_TEXT];
	bool named = line == ROWS - 1 || line == ROWS / 2 - 1;
	uint64_t value = line == ROWS - 1 ? most : most / 2;

	strbuf_addf(
		text, "%*s ", LABEL_WIDTH - 1, named ? format_bytes(bytes, (int64_t)value) : "");
}

static void add_grid(struct strbuf *text, const struct grid *g, uint64_t most, bool ascii)
{
	size_t cells = ascii ? g->columns : g->columns / 2;

	for (size_t line = ROWS; line-- > 0;) {
		add_label(text, line, most);
		strbuf_add(text, ascii ? "|" : "│");
		for (size_t cell = 0; cell < cells; cell++)
			add_cell(text, g, line, cell, ascii);
		trim(text);
		strbuf_add(text, "\n");
	}
}

/* ---- what is below it */

static void add_axis(struct strbuf *text, const struct timeline *t, size_t cells, bool ascii)
{
	char end[UNIT_TEXT];

	strbuf_addf(text, "%*s %s", LABEL_WIDTH - 1, "0 B", ascii ? "+" : "└");
	for (size_t i = 0; i < cells; i++)
		strbuf_add(text, ascii ? "-" : "─");
	format_duration(end, t->end_ns);
	strbuf_addf(text, "\n%*s0%*s\n", LABEL_WIDTH, "", (int)cells, end);
}

/* The peak goes before a mark, the later mark before the earlier. */
static void add_marks(
	struct strbuf *text, const struct timeline *t, const struct plot_options *o, size_t cells)
{
	char *line = mem_zalloc(cells + 1, 1);
	size_t marks = 0, peak = cells;

	memset(line, ' ', cells);
	for (size_t i = 0; i < t->count; i++)
		if (t->points[i].p.kind == MT_POINT_MARK)
			line[column_of(t, t->points[i].p.ns, cells)] = plot_mark(marks++);
	if (o->peak_ns)
		line[peak = column_of(t, o->peak_ns, cells)] = '^';
	if (marks || o->peak_ns) {
		strbuf_addf(text, "%*s", LABEL_WIDTH + 1, "");
		for (size_t i = 0; i < cells; i++)
			if (i == peak && !o->ascii)
				strbuf_add(text, "▲");
			else
				strbuf_addf(text, "%c", line[i]);
		trim(text);
		strbuf_add(text, "\n");
	}
	free(line);
}

static uint64_t *values_of(
	const struct timeline *t, uint64_t (*value)(const struct timeline_point *))
{
	uint64_t *values = mem_zalloc(t->count + 1, sizeof(*values));

	for (size_t i = 0; i < t->count; i++)
		values[i] = value(&t->points[i]);
	/* What the last state doesn't know is as it was. */
	if (t->has_last_state && t->count > 1 && !values[t->count - 1] && value == timeline_rss)
		values[t->count - 1] = values[t->count - 2];
	return values;
}

static uint64_t live_of(const struct timeline_point *point)
{
	return point->p.live_bytes;
}

void plot_add(struct strbuf *text, const struct timeline *t, const struct plot_options *o)
{
	size_t width = o->width < WIDTH_MOST ? o->width : WIDTH_MOST;
	size_t cells = width > LABEL_WIDTH + 21 ? width - LABEL_WIDTH - 1 : 20;
	struct grid g = { o->ascii ? cells : 2 * cells, o->ascii ? ROWS : ROWS * DOTS, NULL };
	bool rss = plot_has_rss(t);
	uint64_t most = rss && t->rss_most > t->bytes_most ? t->rss_most : t->bytes_most;
	uint64_t *values = values_of(t, live_of), *high = heights(t, values, g.columns);

	g.dots = mem_zalloc(g.columns * g.rows, 1);
	draw_area(&g, high, most);
	free(values);
	free(high);
	if (rss) {
		values = values_of(t, timeline_rss);
		high = heights(t, values, g.columns);
		draw_line(&g, high, most);
		free(values);
		free(high);
	}
	add_grid(text, &g, most, o->ascii);
	add_axis(text, t, cells, o->ascii);
	add_marks(text, t, o, cells);
	free(g.dots);
}

void sparkline_add_height(struct strbuf *text, uint64_t value, uint64_t most, bool ascii)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char plain[] = " .:-=+*%#";
	size_t y = scaled(value, most, 8);

	if (ascii)
		strbuf_addf(text, "%c", plain[y]);
	else
		strbuf_add(text, blocks[y]);
}

void sparkline_add(struct strbuf *text, const struct timeline *t, const uint64_t *values,
	uint64_t most, size_t width, bool ascii)
{
	uint64_t *high = heights(t, values, width);

	for (size_t x = 0; x < width; x++)
		sparkline_add_height(text, high[x], most, ascii);
	free(high);
}
