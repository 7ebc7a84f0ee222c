/* SPDX-License-Identifier: MIT */
/* width.c - the width of texts, and of the terminal. */
#include "analyzer/base/width.h"
#include "analyzer/base/array.h"
#include "analyzer/base/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_USUAL 80 /* of one that doesn't tell */

struct span {
	uint32_t first, last;
};

static const struct span no_columns[] = {
	{ 0x300, 0x36f },
	{ 0x483, 0x489 },
	{ 0x591, 0x5bd },
	{ 0x610, 0x61a },
	{ 0x64b, 0x65f },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f },
	{ 0x202a, 0x202e },
	{ 0x2060, 0x2064 },
	{ 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff },
};

static const struct span two_columns[] = {
	{ 0x1100, 0x115f },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0xa4cf },
	{ 0xa960, 0xa97c },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1faff },
	{ 0x20000, 0x3fffd },
};

static bool is_among(const struct span *spans, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= spans[i].first && c <= spans[i].last)
			return true;
	return false;
}

static uint32_t code_point(const char *text, size_t size)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)text[0] & masks[size];

	for (size_t i = 1; i < size; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

static size_t character_width(const char *text, size_t size)
{
	uint32_t c;

	if (size < 2)
		return 1;
	c = code_point(text, size);
	if (is_among(no_columns, ARRAY_SIZE(no_columns), c))
		return 0;
	return is_among(two_columns, ARRAY_SIZE(two_columns), c) ? 2 : 1;
}

size_t character_size(const char *text, size_t *width)
{
	size_t size = utf8_character(text);

	*width = character_width(text, size);
	return size ? size : 1;
}

/* How many bytes of the text fit; *width becomes what they take. */
static size_t fitting(const char *text, size_t most, size_t *width)
{
	const char *end = text;

	*width = 0;
	while (*end) {
		size_t more, size = character_size(end, &more);

		if (*width + more > most)
			break;
		*width += more;
		end += size;
	}
	return end - text;
}

size_t text_width(const char *text)
{
	size_t width;

	fitting(text, SIZE_MAX, &width);
	return width;
}

void strbuf_add_cut(struct strbuf *s, const char *text, size_t most)
{
	size_t width;
	size_t size = fitting(text, most, &width);

	if (!text[size]) {
		strbuf_add_bytes(s, text, size);
		return;
	}
	if (most == 0)
		return;
	strbuf_add_bytes(s, text, fitting(text, most - 1, &width));
	strbuf_add(s, "…");
}

/* What the user says counts more than what the terminal does. 0 = neither says anything. */
static size_t told_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long number = columns ? strtoul(columns, NULL, 10) : 0;

	if (number > 0 && number <= UINT16_MAX)
		return number;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t terminal_width(int fd)
{
	size_t width;

	if (!isatty(fd))
		return SIZE_MAX;
	width = told_width(fd);
	if (width == 0)
		return WIDTH_USUAL;
	return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}
