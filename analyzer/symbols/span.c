/* SPDX-License-Identifier: MIT */
/* span.c - the beginning and the end of a function, by the looks of its source. */
#include "analyzer/symbols/span.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define HEAD_MAX 8   /* lines of a return type, a template's head, an attribute */
#define TAIL_MAX 500 /* lines without code before the closing brace */

static size_t indentation(const char *line)
{
	size_t columns = 0;

	for (; *line == ' ' || *line == '\t'; line++)
		columns = *line == '\t' ? (columns / 8 + 1) * 8 : columns + 1;
	return columns;
}

static const char *text_of(const char *line)
{
	return line + strspn(line, " \t");
}

static char last_character(const char *text)
{
	size_t size = strlen(text);

	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	return size ? text[size - 1] : 0;
}

/* Whether a line above a function's name may belong to it: "static int", "template <class T>",
 * "[[nodiscard]]", "#[inline]". */
static bool is_head(const char *line, size_t indent)
{
	const char *text = text_of(line);

	if (!*text || indentation(line) != indent)
		return false;
	if (!isalpha((unsigned char)*text) && *text != '_' && *text != '[' &&
		strncmp(text, "#[", 2) != 0)
		return false;
	if (strstr(text, "//") || strstr(text, "*/") || (strchr(text, ':') && !strstr(text, "::")))
		return false;
	return !strchr(";}{,", last_character(text));
}

static uint32_t find_head(struct source_cache *sources, const char *file, uint32_t line)
{
	const char *text = source_line(sources, file, line);
	size_t indent = text ? indentation(text) : 0;
	uint32_t first = line;

	while (first > 1 && line - first < HEAD_MAX) {
		const char *above = source_line(sources, file, first - 1);

		if (!above || !is_head(above, indent))
			break;
		first--;
	}
	return first;
}

/* The function's whole body on one line, or up to a brace that ends a line of code. */
static bool ends_on(const char *line, size_t indent)
{
	const char *text = text_of(line);

	return indentation(line) <= indent && strchr(text, '}') && *text;
}

static uint32_t find_tail(
	struct source_cache *sources, const char *file, struct extent known, uint32_t before)
{
	const char *text = source_line(sources, file, known.first);
	size_t indent = text ? indentation(text) : 0;
	uint32_t line = known.last;

	if (!text)
		return known.last;
	text = source_line(sources, file, line);
	if (text && ends_on(text, indent))
		return line;
	for (line++; line < before && line - known.last <= TAIL_MAX; line++) {
		text = source_line(sources, file, line);
		if (!text)
			break;
		if (*text_of(text) == '}' && indentation(text) <= indent)
			return line;
		/* Something else begins. A brace or a label may stand at the margin, too. */
		if (*text_of(text) && indentation(text) <= indent && *text_of(text) != '{' &&
			*text_of(text) != '#' && *text_of(text) != '/' &&
			last_character(text) != ':')
			break;
	}
	return known.last;
}

struct extent function_span(
	struct source_cache *sources, const char *file, struct extent known, uint32_t before)
{
	struct extent span = known;

	if (!file || !known.first)
		return known;
	span.first = find_head(sources, file, known.first);
	span.last = find_tail(sources, file, known, before);
	return span;
}
