/* SPDX-License-Identifier: MIT */
/* canvas.c - lines of clean text, cut to their width. */
#include "analyzer/print/canvas.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/width.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void canvas_start(struct canvas *c, size_t width, size_t height, bool ascii)
{
	c->width = width;
	c->height = height;
	c->ascii = ascii;
	c->count = 0;
}

void canvas_release(struct canvas *c)
{
	for (size_t i = 0; i < c->room; i++)
		strbuf_release(&c->lines[i].text);
	free(c->lines);
	*c = (struct canvas){ 0 };
}

size_t canvas_left(const struct canvas *c)
{
	return c->count < c->height ? c->height - c->count : 0;
}

void canvas_line(struct canvas *c)
{
	struct canvas_line *line;

	if (c->count >= c->room) {
		size_t room = c->room ? 2 * c->room : 64;

		c->lines = mem_resize(c->lines, room, sizeof(*c->lines));
		memset(c->lines + c->room, 0, (room - c->room) * sizeof(*c->lines));
		c->room = room;
	}
	line = &c->lines[c->count++];
	strbuf_clear(&line->text);
	line->width = line->count = 0;
	line->reverse = false;
}

/* One for each column, so that what is aligned stays so. */
static void add_ascii(struct strbuf *to, const char *text)
{
	static const struct {
		const char *unicode, *ascii;
	} known[] = { { "…", "~" }, { "±", "~" }, { "≤", "<" }, { "·", "-" } };

	while (*text) {
		size_t width, size = character_size(text, &width), i = 0;

		while (i < ARRAY_SIZE(known) && strncmp(text, known[i].unicode, size) != 0)
			i++;
		if (size == 1)
			strbuf_add_bytes(to, text, 1);
		else if (i < ARRAY_SIZE(known))
			strbuf_add(to, known[i].ascii);
		else
			strbuf_add_bytes(to, "??", width);
		text += size;
	}
}

static void begin_piece(struct canvas_line *line, enum canvas_style style)
{
	if (line->count < CANVAS_PIECES)
		line->pieces[line->count++] = (struct canvas_piece){ line->text.size, style };
}

size_t canvas_room(const struct canvas *c)
{
	size_t width = c->count ? c->lines[c->count - 1].width : 0;

	return width < c->width ? c->width - width : 0;
}

void canvas_add(struct canvas *c, enum canvas_style style, const char *text)
{
	struct canvas_line *line = &c->lines[c->count - 1];
	struct strbuf clean = { 0 }, cut = { 0 };

	strbuf_add_clean(&clean, text);
	strbuf_add_cut(&cut, strbuf_text(&clean), canvas_room(c));
	begin_piece(line, style);
	if (c->ascii)
		add_ascii(&line->text, strbuf_text(&cut));
	else
		strbuf_add(&line->text, strbuf_text(&cut));
	line->width += text_width(strbuf_text(&cut));
	strbuf_release(&clean);
	strbuf_release(&cut);
}

void canvas_addf(struct canvas *c, enum canvas_style style, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		canvas_add(c, style, text);
	free(text);
}

void canvas_pad(struct canvas *c, size_t column)
{
	struct canvas_line *line = &c->lines[c->count - 1];

	column = column < c->width ? column : c->width;
	if (!line->count)
		begin_piece(line, CANVAS_PLAIN);
	for (; line->width < column; line->width++)
		strbuf_add(&line->text, " ");
}

/* The text, clean and no wider than the field. */
static size_t fit(struct strbuf *cut, const char *text, size_t width)
{
	struct strbuf clean = { 0 };

	strbuf_add_clean(&clean, text);
	strbuf_add_cut(cut, strbuf_text(&clean), width);
	strbuf_release(&clean);
	return text_width(strbuf_text(cut));
}

void canvas_cell(struct canvas *c, enum canvas_style style, const char *text, size_t width)
{
	size_t start = c->lines[c->count - 1].width;
	struct strbuf cut = { 0 };

	fit(&cut, text, width);
	canvas_add(c, style, strbuf_text(&cut));
	canvas_pad(c, start + width + 1);
	strbuf_release(&cut);
}

void canvas_number(struct canvas *c, enum canvas_style style, const char *text, size_t width)
{
	size_t start = c->lines[c->count - 1].width;
	struct strbuf cut = { 0 };

	canvas_pad(c, start + width - fit(&cut, text, width));
	canvas_add(c, style, strbuf_text(&cut));
	canvas_pad(c, start + width + 1);
	strbuf_release(&cut);
}

void canvas_right(struct canvas *c, enum canvas_style style, const char *text)
{
	struct strbuf cut = { 0 };
	size_t width = fit(&cut, text, c->width);

	if (canvas_room(c) > width) {
		canvas_pad(c, c->width - width);
		canvas_add(c, style, strbuf_text(&cut));
	}
	strbuf_release(&cut);
}

void canvas_reverse(struct canvas *c)
{
	c->lines[c->count - 1].reverse = true;
}

void canvas_print(const struct canvas *c, FILE *out)
{
	for (size_t i = 0; i < c->count && i < c->height; i++) {
		const char *text = strbuf_text(&c->lines[i].text);
		size_t size = strlen(text);

		while (size && text[size - 1] == ' ')
			size--;
		fprintf(out, "%.*s\n", (int)size, text);
	}
}
