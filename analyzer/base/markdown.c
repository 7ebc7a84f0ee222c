/* SPDX-License-Identifier: MIT */
/* markdown.c - texts of any bytes as Markdown. */
#include "analyzer/base/markdown.h"
#include "analyzer/base/strbuf.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char marks[] = "\\`*_[]<>|~&$#";

/* Underscores inside a word are no marks, and names are full of them. */
static bool is_in_word(const char *text, const char *at)
{
	return *at == '_' && at > text && isalnum((unsigned char)at[-1]) &&
	       isalnum((unsigned char)at[1]);
}

void markdown_text(const char *text, FILE *out)
{
	struct strbuf clean = { 0 };

	strbuf_add_clean(&clean, text);
	for (const char *c = strbuf_text(&clean); *c; c++) {
		if (strchr(marks, *c) && !is_in_word(strbuf_text(&clean), c))
			putc('\\', out);
		putc(*c, out);
	}
	strbuf_release(&clean);
}

/* A code span can't hold a backtick without longer fences, nor in a table a backslash in front of a
 * bar; as HTML, it can hold all by number. */
static void write_html(const char *text, FILE *out)
{
	fputs("<code>", out);
	for (; *text; text++) {
		if (strchr(marks, *text))
			fprintf(out, "&#%d;", *text);
		else
			putc(*text, out);
	}
	fputs("</code>", out);
}

void markdown_code(const char *text, FILE *out)
{
	struct strbuf clean = { 0 };
	const char *s;

	strbuf_add_clean(&clean, text);
	s = strbuf_text(&clean);
	if (strpbrk(s, "`|"))
		write_html(s, out);
	else if (*s)
		fprintf(out, "`%s`", s);
	strbuf_release(&clean);
}

void markdown_lines(const char *lines, FILE *out)
{
	struct strbuf line = { 0 };

	while (*lines) {
		size_t size = strcspn(lines, "\n");

		strbuf_clear(&line);
		strbuf_add_bytes(&line, lines, size);
		markdown_text(strbuf_text(&line), out);
		putc('\n', out);
		lines += size + (lines[size] == '\n');
	}
	strbuf_release(&line);
}
