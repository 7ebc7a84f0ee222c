/* SPDX-License-Identifier: MIT */
/*
 * table.h - human-readable columns, aligned, and the little colour that a terminal gets.
 *
 * Cells are cleaned of control characters. The last column isn't padded, so long names there cost
 * no width elsewhere.
 */
#ifndef MTRACER_TABLE_H
#define MTRACER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct strbuf;
struct table;

enum align { ALIGN_LEFT, ALIGN_RIGHT };

struct table *table_new(void);
void table_free(struct table *t);

void table_column(struct table *t, const char *title, enum align align); /* before the first row */
void table_row(struct table *t);					 /* begins a row */
void table_cell(
	struct table *t, const char *text); /* the next cell of the row; missing ones are empty */
void table_notes_at(struct table *t, size_t column); /* the column under which notes begin */

/* A line under the row. */
void table_note(struct table *t, const char *text);

/* Another, of a call: "lead" and then "name  path" (shorten.h), either of which may be empty. */
void table_note_call(struct table *t, const char *lead, const char *name, const char *path);

/* ---- what a narrow terminal does to the columns that were added last */

/* It goes where the width doesn't do for all; the lowest rank goes first. */
void table_spare(struct table *t, unsigned rank);

/* Its cells are names or paths, and are shortened as such. */
void table_shorten(struct table *t, void (*shorten)(struct strbuf *, const char *, size_t));

/* In the columns that output has (fold.h). Columns that are empty in every row are left out. */
void table_print(const struct table *t, FILE *out);

/* As Markdown, in full width; cells that can be shortened are code, and notes are lines of the cell
 * under which they begin. */
void table_markdown(const struct table *t, FILE *out);

/* ---- style: escape sequences where stdout is a terminal that takes them and NO_COLOR isn't set,
 * "" elsewhere */

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_FAINT, STYLE_WARNING, STYLE_HOT };

const char *style(enum style which);
void style_off(void); /* from here on: what is written isn't for a terminal */

#endif
