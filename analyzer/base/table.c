/* table.c - aligned columns for people. */
#include "analyzer/base/table.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GAP 2 /* between columns */

struct column {
	char *title;
	enum align align;
};

struct row {
	char **cells; /* as many as columns; NULL = empty */
	size_t filled;
	char **notes;
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

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->row_count; i++) {
		free_texts(t->rows[i].cells, t->column_count);
		free_texts(t->rows[i].notes, t->rows[i].note_count);
	}
	for (size_t i = 0; i < t->column_count; i++)
		free(t->columns[i].title);
	free(t->columns);
	free(t->rows);
	free(t);
}

void table_column(struct table *t, const char *title, enum align align)
{
	struct column column = { clean(title), align };

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

void table_note(struct table *t, const char *text)
{
	struct row *row = &t->rows[t->row_count - 1];

	VEC_PUSH(row->notes, row->note_count, row->note_room, clean(text));
}

void table_notes_at(struct table *t, size_t column)
{
	t->notes_at = column;
}

/* ---- printing */

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

static void pad(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Blanks wait for the next text, so that no line ends in one. */
static void print_cell(FILE *out, const char *text, enum align align, size_t width, size_t *blanks)
{
	size_t rest = width - text_width(text);

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
	size_t blanks = 0;

	for (size_t c = 0; c < t->column_count; c++) {
		const char *text = row ? cell_of(row, c) : t->columns[c].title;

		if (widths[c] == 0)
			continue;
		print_cell(out, text, t->columns[c].align, widths[c], &blanks);
	}
}

static size_t notes_indent(const struct table *t, const size_t *widths)
{
	size_t indent = 0;

	for (size_t c = 0; c < t->notes_at && c < t->column_count; c++)
		indent += widths[c] ? widths[c] + GAP : 0;
	return indent;
}

void table_print(const struct table *t, FILE *out)
{
	size_t *widths = mem_zalloc(t->column_count, sizeof(*widths));

	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = column_width(t, c);
	if (t->row_count) {
		fputs(style(STYLE_FAINT), out);
		print_line(t, widths, NULL, out);
		fprintf(out, "%s\n", style(STYLE_PLAIN));
	}
	for (size_t i = 0; i < t->row_count; i++) {
		print_line(t, widths, &t->rows[i], out);
		putc('\n', out);
		for (size_t n = 0; n < t->rows[i].note_count; n++) {
			pad(out, notes_indent(t, widths));
			fprintf(out, "%s%s%s\n", style(STYLE_FAINT), t->rows[i].notes[n],
				style(STYLE_PLAIN));
		}
	}
	free(widths);
}

/* ---- style */

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
	static int wanted = -1;

	if (wanted < 0)
		wanted = wants_style();
	return wanted ? sequences[which] : "";
}
