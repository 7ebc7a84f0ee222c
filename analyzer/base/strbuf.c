/* SPDX-License-Identifier: MIT */
/* strbuf.c - a text that grows. */
#include "analyzer/base/strbuf.h"
#include "analyzer/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TAB_WIDTH 8

static void make_room(struct strbuf *s, size_t more)
{
	size_t want = s->size + more + 1;

	if (want <= s->room)
		return;
	s->room = want < 64 ? 64 : want + want / 2;
	s->text = mem_resize(s->text, s->room, 1);
}

void strbuf_add_bytes(struct strbuf *s, const char *bytes, size_t size)
{
	make_room(s, size);
	if (size)
		memcpy(s->text + s->size, bytes, size);
	s->size += size;
	s->text[s->size] = '\0';
}

void strbuf_add(struct strbuf *s, const char *text)
{
	strbuf_add_bytes(s, text, strlen(text));
}

void strbuf_addf(struct strbuf *s, const char *format, ...)
{
	va_list args, again;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	if (size > 0) {
		make_room(s, (size_t)size);
		vsnprintf(s->text + s->size, (size_t)size + 1, format, again);
		s->size += (size_t)size;
	}
	va_end(again);
	va_end(args);
}

size_t utf8_character(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	/* The second byte's range shuts out overlong forms, surrogates and what is beyond
	 * U+10FFFF. */
	unsigned char low = 0x80, high = 0xbf;
	size_t size;

	if (c[0] < 0x80)
		return c[0] ? 1 : 0;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	size = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (c[0] == 0xe0)
		low = 0xa0;
	else if (c[0] == 0xed)
		high = 0x9f;
	else if (c[0] == 0xf0)
		low = 0x90;
	else if (c[0] == 0xf4)
		high = 0x8f;
	if (c[1] < low || c[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

/* Marks that change the order or the direction of what stands around them, and separators that some
 * take for the end of the line: a name could look like another, or like two. */
static bool is_deceptive(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;

	if (size == 2)
		return c[0] == 0xd8 && c[1] == 0x9c; /* U+061C */
	if (size != 3 || c[0] != 0xe2)
		return false;
	if (c[1] == 0x80) /* U+200E, U+200F; U+2028 to U+202E */
		return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae);
	return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9; /* U+2066 to U+2069 */
}

void strbuf_add_clean(struct strbuf *s, const char *text)
{
	size_t start = s->size;

	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t size = utf8_character(text);

		if (c == '\t') {
			do
				strbuf_add_bytes(s, " ", 1);
			while ((s->size - start) % TAB_WIDTH);
		} else if (c < ' ' || c == 0x7f || size == 0 ||
			   (c == 0xc2 && (unsigned char)text[1] < 0xa0) || /* C1 controls */
			   is_deceptive(text, size)) {
			strbuf_add_bytes(s, "?", 1);
		} else {
			strbuf_add_bytes(s, text, size);
		}
		text += size ? size : 1;
	}
}

void strbuf_add_folded(struct strbuf *s, const char *name)
{
	size_t start = s->size;

	strbuf_add_clean(s, name);
	for (char *c = s->text + start; s->size > start && c < s->text + s->size; c++)
		*c = *c == ';' ? ':' : *c == ' ' ? '_' : *c;
}

const char *strbuf_text(const struct strbuf *s)
{
	return s->text ? s->text : "";
}

void strbuf_clear(struct strbuf *s)
{
	s->size = 0;
	if (s->text)
		s->text[0] = '\0';
}

void strbuf_release(struct strbuf *s)
{
	free(s->text);
	*s = (struct strbuf){ 0 };
}
