/* SPDX-License-Identifier: MIT */
/* xml.c - texts of unknown origin in XML. */
#include "analyzer/base/xml.h"
#include "analyzer/base/array.h"
#include "analyzer/base/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Controls, what turns or joins text without being seen itself, and what XML has no place for. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0, 0x1f },
	{ 0x7f, 0x9f },
	{ 0xad, 0xad },
	{ 0x61c, 0x61c },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0xe0000, 0xe007f },
};

static uint32_t code_point(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t code = size == 1 ? c[0] : c[0] & (0x7fu >> size);

	for (size_t i = 1; i < size; i++)
		code = code << 6 | (c[i] & 0x3f);
	return code;
}

static bool is_unseen(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(unseen); i++)
		if (code >= unseen[i].first && code <= unseen[i].last)
			return true;
	return false;
}

void strbuf_add_visible(struct strbuf *s, const char *text)
{
	while (*text) {
		size_t size = utf8_character(text);
		uint32_t code = size ? code_point(text, size) : 0;

		if (size == 0)
			strbuf_addf(s, "\\x%02x", (unsigned char)*text);
		else if (is_unseen(code))
			strbuf_addf(s, "\\u%04x", (unsigned)code);
		else
			strbuf_add_bytes(s, text, size);
		text += size ? size : 1;
	}
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return "&quot;";
	}
}

void strbuf_add_xml(struct strbuf *s, const char *text)
{
	while (*text) {
		size_t plain = strcspn(text, "&<>\"");

		strbuf_add_bytes(s, text, plain);
		text += plain;
		if (*text)
			strbuf_add(s, entity(*text++));
	}
}
