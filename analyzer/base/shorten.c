/* SPDX-License-Identifier: MIT */
/* shorten.c - names and paths made to fit. */
#include "analyzer/base/shorten.h"
#include "analyzer/base/array.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GAP 2
#define PATH_LEAST 20 /* columns of a path that a name leaves */

/* ---- names */

/* What is no bracket, though it looks like one: "->", "operator<<", "operator()". */
static size_t literal_size(const char *text)
{
	static const char *const literals[] = { "operator<<=", "operator>>=", "operator<=>",
		"operator<<", "operator>>", "operator->*", "operator->",
		"operator<=", "operator>=", "operator<", "operator>", "operator()", "->",
		"(anonymous namespace)" };

	for (size_t i = 0; i < ARRAY_SIZE(literals); i++)
		if (strncmp(text, literals[i], strlen(literals[i])) == 0)
			return strlen(literals[i]);
	return 0;
}

/* The end of the group that opens here; NULL where nothing closes it. */
static const char *group_end(const char *text, char open, char close)
{
	unsigned depth = 0;

	while (*text) {
		size_t literal = literal_size(text);

		if (literal) {
			text += literal;
			continue;
		}
		depth += *text == open;
		if (*text == close && --depth == 0)
			return text;
		text++;
	}
	return NULL;
}

/* Replaces what stands between such brackets. Rust's "<T as Trait>::f" has no name before its
 * bracket, and stays. */
static void add_emptied(struct strbuf *s, const char *name, char open, char close)
{
	const char *start = name, *end;

	while (*name) {
		size_t literal = literal_size(name);

		if (literal) {
			strbuf_add_bytes(s, name, literal);
			name += literal;
			continue;
		}
		end = *name == open && name > start ? group_end(name, open, close) : NULL;
		strbuf_add_bytes(s, name, 1);
		name++;
		if (end && end > name) {
			strbuf_add(s, "…");
			name = end;
		}
	}
}

static bool fits(const char *text, size_t width)
{
	return text_width(text) <= width;
}

/* The next "::" that is in no bracket; NULL where there is none. */
static const char *next_part(const char *name)
{
	const char *end;

	for (const char *p = name; *p; p++) {
		end = *p == '<'	  ? group_end(p, '<', '>')
		      : *p == '(' ? group_end(p, '(', ')')
				  : NULL;
		p = end ? end : p;
		if (p > name && p[0] == ':' && p[1] == ':' && p[2])
			return p;
	}
	return NULL;
}

/* Without as many namespaces as it takes; the last part stays. */
static void add_end_of_name(struct strbuf *s, const char *name, size_t width)
{
	const char *next;

	while (!fits(name, width - 1) && (next = next_part(name)))
		name = next;
	strbuf_add(s, "…");
	strbuf_add_cut(s, name, width - 1);
}

void strbuf_add_name(struct strbuf *s, const char *name, size_t width)
{
	struct strbuf plain = { 0 }, bare = { 0 };

	if (width < 2 || fits(name, width)) {
		strbuf_add_cut(s, name, width);
		return;
	}
	add_emptied(&plain, name, '<', '>');
	if (!fits(plain.text, width)) {
		add_emptied(&bare, plain.text, '(', ')');
		strbuf_clear(&plain);
		strbuf_add(&plain, bare.text);
	}
	if (fits(plain.text, width) || !strstr(plain.text, "::"))
		strbuf_add_cut(s, plain.text, width);
	else
		add_end_of_name(s, plain.text, width);
	strbuf_release(&plain);
	strbuf_release(&bare);
}

/* ---- paths */

/* The end of a text, after "…": a line number is worth more than the beginning of a name. */
static void add_end(struct strbuf *s, const char *text, size_t width)
{
	size_t used = text_width(text), more;

	if (width == 0)
		return;
	while (used > width - 1) {
		text += character_size(text, &more);
		used -= more;
	}
	strbuf_add(s, "…");
	strbuf_add(s, text);
}

/* The slash from which on the path fits; its last one where nothing does. */
static const char *fitting_end(const char *path, const char *last, size_t width)
{
	const char *slash = path;

	while (slash < last && (*slash != '/' || !fits(slash, width)))
		slash++;
	return slash;
}

void strbuf_add_path(struct strbuf *s, const char *path, size_t width)
{
	const char *last = strrchr(path, '/');
	size_t front = last ? strcspn(path + 1, "/") + 2 : 0; /* with the slash */

	if (fits(path, width)) {
		strbuf_add(s, path);
		return;
	}
	if (!last || !fits(last, width - 1)) {
		add_end(s, last ? last + 1 : path, width);
		return;
	}
	if (path + front <= last && front + 1 + text_width(last) <= width)
		strbuf_add_bytes(s, path, front);
	else
		front = 0;
	strbuf_add(s, "…");
	strbuf_add(s, fitting_end(path + front, last, width - front - 1));
}

/* ---- calls */

void strbuf_add_call(struct strbuf *s, const char *name, const char *path, size_t width)
{
	size_t of_path = text_width(path), of_name = text_width(name);

	if (!*name || !*path) {
		if (*name)
			strbuf_add_name(s, name, width);
		else
			strbuf_add_path(s, path, width);
		return;
	}
	if (width != SIZE_MAX && of_name + GAP + of_path > width) {
		size_t room = width > GAP ? width - GAP : 0;
		size_t least = room / 2 < PATH_LEAST ? room / 2 : PATH_LEAST;

		if (of_path > least)
			of_path = of_name + least < room ? room - of_name : least;
		of_name = room - of_path;
	}
	strbuf_add_name(s, name, of_name);
	strbuf_addf(s, "%*s", GAP, "");
	strbuf_add_path(s, path, of_path);
}
