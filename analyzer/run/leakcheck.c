/* SPDX-License-Identifier: MIT */
/* leakcheck.c - looks for leaks in all traces of a run. */
#include "analyzer/run/leakcheck.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/log.h"
#include "analyzer/base/shell.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"
#include "analyzer/print/summary.h"
#include "analyzer/run/runtrace.h"
#include "analyzer/views/leaks.h"
#include "analyzer/views/reading.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND_SHOWN 100 /* bytes */

static void print_heading(const struct reading *r)
{
	struct strbuf text = { 0 };

	summary_command(r->trace, COMMAND_SHOWN, &text);
	fprintf(stderr, "\n%s (pid %u):\n", strbuf_text(&text), r->trace->header.pid);
	strbuf_release(&text);
}

/* A program that went on as another traced one has left its memory to nobody, a forked child that
 * leaves by _exit() what was its parent's. */
static bool counts(const struct run_trace *trace, const struct trace *t)
{
	bool left = t->state == TRACE_EXITED && !trace_went_on(t);

	return !trace->went_on && !(t->header.forked_from && left);
}

static void print_next(const char *path)
{
	struct strbuf next = { 0 };

	shell_add_self(&next);
	strbuf_add(&next, " leaks --all");
	shell_add_operand(&next, path);
	fprintf(stderr, "\nnext: %s\n", strbuf_text(&next));
	strbuf_release(&next);
}

static void print_found(struct reading *r, const struct leaks *leaks)
{
	static const struct leaks_view view = { 1u << LEAK_LOST, 20, 24, 3, false };

	fold_start(&stderr, STDERR_FILENO, terminal_width(STDERR_FILENO));
	print_heading(r);
	leaks_print(leaks, r->trace, r->resolver, r->sources, &view, stderr);
	print_next(r->trace->path);
	fold_finish();
	reading_warn(r);
}

static void check(
	const struct run_trace *trace, struct suppressions *suppressions, struct leakcheck *result)
{
	static const struct reading_options options;
	static const struct leaks_options rows = { LEAKS_BY_LINE, 0 };
	struct reading r;
	struct leaks *leaks;

	if (reading_open(&r, &options, trace->path) != EXIT_OK) {
		result->no_verdict = true;
		return;
	}
	leaks = leaks_new(r.trace, r.resolver, suppressions, &rows);
	if (leaks->why && counts(trace, r.trace)) {
		error("%s: no verdict on leaks: %s", trace->path, leaks->why);
		result->no_verdict = true;
	}
	if (leaks_found(leaks)) {
		print_found(&r, leaks);
		result->lost = true;
	}
	leaks_free(leaks);
	reading_close(&r);
}

struct leakcheck leakcheck(const struct run_traces *traces, struct suppressions *suppressions)
{
	struct leakcheck result = { false, false };

	for (size_t i = 0; i < traces->count; i++)
		check(&traces->all[i], suppressions, &result);
	return result;
}
