/* SPDX-License-Identifier: MIT */
/* fold.c - lines broken to a width. */
#include "analyzer/base/fold.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define HANG 2 /* columns that the rest of a line is indented more than its beginning */

static struct {
	FILE **stream, *before; /* NULL = nothing is folded */
	int fd;
	size_t width;
	struct strbuf line; /* not yet ended */
} fold;

size_t output_width(void)
{
	return fold.stream ? fold.width : SIZE_MAX;
}

/* ---- one line */

/* Bytes of the escape sequence ("\033[1m") that the text starts with. */
static size_t escape_size(const char *text)
{
	return strncmp(text, "\033[", 2) == 0 ? 2 + strcspn(text + 2, "m") + 1 : 0;
}

static size_t hanging_indent(const char *line, size_t width)
{
	size_t blanks = strspn(line, " ");

	return blanks + HANG <= width / 2 ? blanks + HANG : HANG;
}

/* Where the line that starts here ends: at its last blank that fits, or else where it is full. */
static const char *break_of(const char *start, size_t room)
{
	const char *blank = NULL, *p = start;
	size_t used = 0;
	bool any = false; /* leading blanks are no place to break */

	while (*p) {
		size_t size = escape_size(p), more = 0;

		if (size == 0)
			size = character_size(p, &more);
		if (used + more > room)
			return *p == ' ' || !blank ? p : blank;
		if (*p == ' ' && any && p[-1] != ' ')
			blank = p;
		any |= more && *p != ' ';
		used += more;
		p += size;
	}
	return p;
}

void fold_line(struct strbuf *out, const char *line, size_t width)
{
	size_t indent = hanging_indent(line, width);
	const char *end = break_of(line, width), *lead = "";

	if (end > line + strspn(line, " ") || !*end) { /* not of blanks only */
		strbuf_add_bytes(out, line, (size_t)(end - line));
		lead = "\n";
	}
	while (*(line = end + strspn(end, " "))) {
		strbuf_addf(out, "%s%*s", lead, (int)indent, "");
		lead = "\n";
		end = break_of(line, width - indent);
		strbuf_add_bytes(out, line, (size_t)(end - line));
	}
}

/* ---- the stream */

static bool write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno != EINTR)
			return false;
		text += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

/* Adds text to the line that is being made; lines that end in it go out. */
static ssize_t fold_write(void *unused, const char *text, size_t size)
{
	struct strbuf out = { 0 };
	const char *rest = text, *newline;
	bool good;

	(void)unused;
	while ((newline = memchr(rest, '\n', size - (size_t)(rest - text)))) {
		strbuf_add_bytes(&fold.line, rest, (size_t)(newline - rest));
		fold_line(&out, strbuf_text(&fold.line), fold.width);
		strbuf_add(&out, "\n");
		strbuf_clear(&fold.line);
		rest = newline + 1;
	}
	strbuf_add_bytes(&fold.line, rest, size - (size_t)(rest - text));
	good = write_all(fold.fd, strbuf_text(&out), out.size);
	strbuf_release(&out);
	return good ? (ssize_t)size : 0;
}

void fold_start(FILE **stream, int fd, size_t width)
{
	cookie_io_functions_t functions = { .write = fold_write };
	FILE *folded;

	if (width == SIZE_MAX || fold.stream)
		return;
	folded = fopencookie(NULL, "w", functions);
	if (!folded)
		return;
	setvbuf(folded, NULL, _IOLBF, BUFSIZ); /* in order with what goes elsewhere */
	fflush(*stream);
	fold.stream = stream;
	fold.before = *stream;
	fold.fd = fd;
	fold.width = width < WIDTH_LEAST ? WIDTH_LEAST : width;
	*stream = folded;
}

void fold_finish(void)
{
	if (!fold.stream)
		return;
	fclose(*fold.stream);
	*fold.stream = fold.before;
	fputs(strbuf_text(&fold.line), fold.before);
	fflush(fold.before);
	fold.stream = NULL;
	strbuf_release(&fold.line);
}
