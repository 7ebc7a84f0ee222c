/* SPDX-License-Identifier: MIT */
/*
 * canvas.h - a screenful of text, made line by line, that fits its width whatever is written to it.
 *
 * Knows nothing of terminals: a screen shows it, and a stream can have it too.
 */
#ifndef MTRACER_CANVAS_H
#define MTRACER_CANVAS_H

#include "analyzer/base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum canvas_style {
	CANVAS_PLAIN,
	CANVAS_BOLD,
	CANVAS_FAINT,
	CANVAS_REVERSE,
	CANVAS_UP,   /* grows */
	CANVAS_DOWN, /* shrinks */
	CANVAS_STYLES
};

#define CANVAS_PIECES 24 /* of a line; what follows is in the style of the last */

struct canvas_line {
	struct strbuf text; /* clean UTF-8, or ASCII */
	size_t width;	    /* columns of it */
	struct canvas_piece {
		size_t start; /* in the text */
		enum canvas_style style;
	} pieces[CANVAS_PIECES];
	size_t count;
	bool reverse; /* all of it, to the edge */
};

struct canvas { /* starts as { 0 } */
	size_t width, height;
	bool ascii;
	struct canvas_line *lines;
	size_t count, room; /* lines that were begun, and that there is memory for */
};

/* Empty, of this size. What is more than `height` lines is forgotten. */
void canvas_start(struct canvas *c, size_t width, size_t height, bool ascii);
void canvas_release(struct canvas *c);

void canvas_line(struct canvas *c);	    /* begins one */
size_t canvas_left(const struct canvas *c); /* lines that can be begun */

/* What of a text doesn't fit its line is cut off. Any text: it is cleaned. */
void canvas_add(struct canvas *c, enum canvas_style style, const char *text);
void canvas_addf(struct canvas *c, enum canvas_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In a field of so many columns, and a blank behind it. */
void canvas_cell(struct canvas *c, enum canvas_style style, const char *text, size_t width);
void canvas_number(struct canvas *c, enum canvas_style style, const char *text, size_t width);

/* Against the right edge, where there is room. */
void canvas_right(struct canvas *c, enum canvas_style style, const char *text);
void canvas_pad(struct canvas *c, size_t column); /* blanks up to there */
void canvas_reverse(struct canvas *c);		  /* the line */

size_t canvas_room(const struct canvas *c); /* columns left in the line */

void canvas_print(const struct canvas *c, FILE *out); /* without style */

#endif
