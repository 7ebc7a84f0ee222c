/* SPDX-License-Identifier: MIT */
/* table.c - human-readable columns, aligned. */
#include "analyzer/base/table.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/markdown.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GAP 2	       /* between columns */
#define TEXT_LEAST 20  /* columns that a name has before others go for it */
#define CELL_LEAST 8   /* and when none is left to go */
#define NOTES_LEAST 48 /* columns that notes have, even if they begin further left for it */

struct column {
	char *title;
	enum align align;
	unsigned spare; /* rank; 0 = it stays */
	void (*shorten)(struct strbuf *, const char *, size_t);
};

/* A line under a row: a text, or a call. */
struct note {
	char *lead, *name, *path; /* without a call, only the first */
};

struct row {
	char **cells; /* as many as columns; NULL = empty */
	size_t filled;
	struct note *notes;
	size_t note_count, note_room;
};

struct table {
	struct column *columns;
	size_t column_count, column_room;
	size_t notes_at;
	struct row *rows;
	size_t row_count, row_room;
};

static char *clean(const char *text)
{
	struct strbuf s = { 0 };

	strbuf_add_clean(&s, text);
	return s.text ? s.text : mem_strdup("");
}

struct table *table_new(void)
{
	return mem_zalloc(1, sizeof(struct table));
}

static void free_row(struct row *row, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		free(row->cells[i]);
	for (size_t i = 0; i < row->note_count; i++) {
		free(row->notes[i].lead);
		free(row->notes[i].name);
		free(row->notes[i].path);
	}
	free(row->cells);
	free(row->notes);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->row_count; i++)
		free_row(&t->rows[i], t->column_count);
	for (size_t i = 0; i < t->column_count; i++)
		free(t->columns[i].title);
	free(t->columns);
	free(t->rows);
	free(t);
}

void table_column(struct table *t, const char *title, enum align align)
{
	struct column column = { .title = clean(title), .align = align };

	VEC_PUSH(t->columns, t->column_count, t->column_room, column);
}

void table_row(struct table *t)
{
	struct row row = { .cells = mem_zalloc(t->column_count, sizeof(char *)) };

	VEC_PUSH(t->rows, t->row_count, t->row_room, row);
}

void table_cell(struct table *t, const char *text)
{
	struct row *row = &t->rows[t->row_count - 1];

	if (row->filled < t->column_count)
		row->cells[row->filled++] = clean(text);
}

static void add_note(struct table *t, struct note note)
{
	struct row *row = &t->rows[t->row_count - 1];

	VEC_PUSH(row->notes, row->note_count, row->note_room, note);
}

void table_note(struct table *t, const char *text)
{
	struct note note = { .lead = clean(text) };

	add_note(t, note);
}

void table_note_call(struct table *t, const char *lead, const char *name, const char *path)
{
	struct note note = { clean(lead), clean(name), clean(path) };

	add_note(t, note);
}

void table_spare(struct table *t, unsigned rank)
{
	t->columns[t->column_count - 1].spare = rank;
}

void table_shorten(struct table *t, void (*shorten)(struct strbuf *, const char *, size_t))
{
	t->columns[t->column_count - 1].shorten = shorten;
}

void table_notes_at(struct table *t, size_t column)
{
	t->notes_at = column;
}

/* ---- the widths of columns */

static const char *cell_of(const struct row *row, size_t column)
{
	return row->cells[column] ? row->cells[column] : "";
}

/* 0 for a column that is empty throughout. */
static size_t column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		size_t cell = text_width(cell_of(&t->rows[i], column));

		width = cell > width ? cell : width;
	}
	if (width && text_width(t->columns[column].title) > width)
		width = text_width(t->columns[column].title);
	return width;
}

/* ---- the columns of a narrow terminal */

static size_t sum_of(const struct table *t, const size_t *widths)
{
	size_t sum = 0;

	for (size_t c = 0; c < t->column_count; c++)
		sum += widths[c] ? widths[c] + (sum ? GAP : 0) : 0;
	return sum;
}

/* Of the columns that can be shortened, to what is over of the least that each is to have. */
static size_t over_least(const struct table *t, const size_t *widths, size_t least)
{
	size_t over = 0;

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].shorten && widths[c] > least)
			over += widths[c] - least;
	return over;
}

/* The column that goes next; column_count where none is left to. */
static size_t next_spare(const struct table *t, const size_t *widths)
{
	size_t next = t->column_count;

	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c] && t->columns[c].spare &&
			(next == t->column_count || t->columns[c].spare < t->columns[next].spare))
			next = c;
	return next;
}

/* The widest column that can be shortened; column_count where none is left above the least. */
static size_t widest(const struct table *t, const size_t *widths, size_t least)
{
	size_t found = t->column_count;

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].shorten && widths[c] > least &&
			(found == t->column_count || widths[c] > widths[found]))
			found = c;
	return found;
}

/* First columns go until names have room for the least that says something, then names become
 * shorter, the widest first. */
static void fit(const struct table *t, size_t *widths, size_t room)
{
	size_t c;

	while (sum_of(t, widths) > room + over_least(t, widths, TEXT_LEAST) &&
		(c = next_spare(t, widths)) < t->column_count)
		widths[c] = 0;
	while (sum_of(t, widths) > room && (c = widest(t, widths, CELL_LEAST)) < t->column_count)
		widths[c]--;
}

/* ---- printing */

static void pad(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Blanks wait for the next text, so that no line ends in one. */
static void print_cell(FILE *out, const char *text, enum align align, size_t width, size_t *blanks)
{
	size_t used = text_width(text), rest = used < width ? width - used : 0;

	if (align == ALIGN_RIGHT)
		*blanks += rest;
	if (*text) {
		pad(out, *blanks);
		fputs(text, out);
		*blanks = 0;
	}
	*blanks += GAP + (align == ALIGN_LEFT ? rest : 0);
}

/* row: NULL for the titles. */
static void print_line(
	const struct table *t, const size_t *widths, const struct row *row, FILE *out)
{
	struct strbuf cut = { 0 };
	size_t blanks = 0;

	for (size_t c = 0; c < t->column_count; c++) {
		const char *text = row ? cell_of(row, c) : t->columns[c].title;

		if (widths[c] == 0)
			continue;
		strbuf_clear(&cut);
		if (row && t->columns[c].shorten)
			t->columns[c].shorten(&cut, text, widths[c]);
		else
			strbuf_add(&cut, text);
		print_cell(out, strbuf_text(&cut), t->columns[c].align, widths[c], &blanks);
	}
	strbuf_release(&cut);
}

static size_t notes_indent(const struct table *t, const size_t *widths, size_t room)
{
	size_t indent = 0;

	for (size_t c = 0; c < t->notes_at && c < t->column_count; c++)
		indent += widths[c] ? widths[c] + GAP : 0;
	if (indent + NOTES_LEAST > room)
		return room > NOTES_LEAST ? room - NOTES_LEAST : 0;
	return indent;
}

static void print_note(const struct note *note, size_t indent, size_t room, FILE *out)
{
	struct strbuf text = { 0 };

	if (room != SIZE_MAX)
		room -= indent;
	strbuf_add_cut(&text, note->lead, room);
	if (note->name && room != SIZE_MAX)
		room -= text_width(strbuf_text(&text));
	if (note->name)
		strbuf_add_call(&text, note->name, note->path, room);
	pad(out, indent);
	fprintf(out, "%s%s%s\n", style(STYLE_FAINT), strbuf_text(&text), style(STYLE_PLAIN));
	strbuf_release(&text);
}

/* full: the widths before columns went. */
static void print_missing(
	const struct table *t, const size_t *full, const size_t *widths, FILE *out)
{
	const char *lead = "columns that do not fit: ";

	for (size_t c = 0; c < t->column_count; c++) {
		if (!full[c] || widths[c])
			continue;
		fprintf(out, "%s%s%s", *lead == ',' ? "" : style(STYLE_FAINT), lead,
			t->columns[c].title);
		lead = ", ";
	}
	if (*lead == ',')
		fprintf(out, " (--wide shows them)%s\n", style(STYLE_PLAIN));
}

void table_print(const struct table *t, FILE *out)
{
	size_t *widths = mem_zalloc(2 * t->column_count, sizeof(*widths));
	size_t *full = widths + t->column_count, room = output_width(), indent;

	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = full[c] = column_width(t, c);
	if (room != SIZE_MAX)
		fit(t, widths, room);
	indent = notes_indent(t, widths, room);
	if (t->row_count) {
		fputs(style(STYLE_FAINT), out);
		print_line(t, widths, NULL, out);
		fprintf(out, "%s\n", style(STYLE_PLAIN));
	}
	for (size_t i = 0; i < t->row_count; i++) {
		print_line(t, widths, &t->rows[i], out);
		putc('\n', out);
		for (size_t n = 0; n < t->rows[i].note_count; n++)
			print_note(&t->rows[i].notes[n], indent, room, out);
	}
	print_missing(t, full, widths, out);
	free(widths);
}

/* ---- Markdown */

static void markdown_note(const struct note *note, FILE *out)
{
	const char *lead = note->lead + strspn(note->lead, " ");

	fputs("<br>", out);
	if (!note->name) {
		markdown_code(lead, out);
		return;
	}
	fputs(lead, out);
	markdown_code(note->name, out);
	fputs(*note->name && *note->path ? " " : "", out);
	markdown_code(note->path, out);
}

/* Where notes go: the first of the columns from theirs on that isn't left out. */
static size_t notes_column(const struct table *t, const size_t *widths)
{
	size_t c = t->notes_at;

	while (c + 1 < t->column_count && widths[c] == 0)
		c++;
	return c;
}

static void markdown_titles(const struct table *t, const size_t *widths, FILE *out)
{
	putc('|', out);
	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c])
			fprintf(out, " %s |", t->columns[c].title);
	fputs("\n|", out);
	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c])
			fputs(t->columns[c].align == ALIGN_RIGHT ? " ---: |" : " --- |", out);
	putc('\n', out);
}

static void markdown_row(
	const struct table *t, const size_t *widths, const struct row *row, FILE *out)
{
	size_t notes_at = notes_column(t, widths);

	putc('|', out);
	for (size_t c = 0; c < t->column_count; c++) {
		if (widths[c] == 0)
			continue;
		putc(' ', out);
		if (t->columns[c].shorten)
			markdown_code(cell_of(row, c), out);
		else
			markdown_text(cell_of(row, c), out);
		for (size_t n = 0; c == notes_at && n < row->note_count; n++)
			markdown_note(&row->notes[n], out);
		fputs(" |", out);
	}
	putc('\n', out);
}

void table_markdown(const struct table *t, FILE *out)
{
	size_t *widths = mem_zalloc(t->column_count, sizeof(*widths));

	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = column_width(t, c);
	if (t->row_count)
		markdown_titles(t, widths, out);
	for (size_t i = 0; i < t->row_count; i++)
		markdown_row(t, widths, &t->rows[i], out);
	free(widths);
}

/* ---- style */

static int style_wanted = -1; /* not known yet */

static bool wants_style(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

const char *style(enum style which)
{
	static const char *const sequences[] = { "\033[0m", "\033[1m", "\033[2m", "\033[33m",
		"\033[1;31m" };

	if (style_wanted < 0)
		style_wanted = wants_style();
	return style_wanted ? sequences[which] : "";
}

void style_off(void)
{
	style_wanted = 0;
}
