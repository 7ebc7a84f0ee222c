/* SPDX-License-Identifier: MIT */
/* log.c - one-line messages on stderr. */
#include "analyzer/base/log.h"
#include "analyzer/base/progress.h"
#include "analyzer/base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct strbuf *diverted; /* NULL: stderr */

struct strbuf *log_divert(struct strbuf *to)
{
	struct strbuf *before = diverted;

	diverted = to;
	return before;
}

static void say(const char *prefix, const char *format, va_list args)
{
	char line[2048]; /* longer ones are cut */
	struct strbuf clean = { 0 };

	if (vsnprintf(line, sizeof(line), format, args) < 0)
		return;
	strbuf_add_clean(&clean, line);
	if (diverted) {
		strbuf_addf(diverted, "%s%s\n", prefix, strbuf_text(&clean));
	} else {
		progress_clear();
		fflush(stdout); /* so that the order is kept where both go to one file */
		fprintf(stderr, "mtracer: %s%s\n", prefix, strbuf_text(&clean));
	}
	strbuf_release(&clean);
}

int error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
	return EXIT_ERROR;
}

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
	exit(EXIT_ERROR);
}
