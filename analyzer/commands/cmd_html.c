/* SPDX-License-Identifier: MIT */
/* cmd_html.c - mtracer html: a trace as one page that any browser shows. */
#include "analyzer/base/array.h"
#include "analyzer/base/log.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/outfile.h"
#include "analyzer/html/page.h"
#include "analyzer/views/diff.h"
#include "analyzer/views/reading.h"

#include <unistd.h>

struct values {
	const char *out;
	const char *old;
	bool no_source;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_TEXT, "out", 'o', "FILE", "write to FILE (default: standard output)", AT(out) },
	{ OPTION_TEXT, "diff", 0, "OLD", "also show what changed since the trace OLD", AT(old) },
	{ OPTION_FLAG, "no-source", 0, NULL, "leave source code out of the page", AT(no_source) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

static int write_page(const struct values *v, const struct page *page)
{
	struct outfile out;
	int status = outfile_open(&out, v->out, false);

	if (status != EXIT_OK)
		return status;
	page_write(page, out.file);
	status = outfile_close(&out);
	reading_warn(page->reading);
	return status;
}

static int page_of_two(const struct values *v, const char *operand)
{
	struct diff_trace traces[] = { { .side = DIFF_OLD }, { .side = DIFF_NEW } };
	struct page page = { .reading = &traces[1].reading, .no_source = v->no_source };
	struct diff *diff;
	int status = reading_open(&traces[0].reading, &v->reading, v->old);

	if (status != EXIT_OK)
		return status;
	status = reading_open(&traces[1].reading, &v->reading, operand);
	if (status == EXIT_OK) {
		diff = diff_new(traces, ARRAY_SIZE(traces), BY_LINE);
		diff_sort(diff, SORT_AT_PEAK_BYTES);
		page.diff = diff;
		status = write_page(v, &page);
		diff_free(diff);
		reading_close(&traces[1].reading);
	}
	reading_close(&traces[0].reading);
	return status;
}

static int page_of_one(const struct values *v, const char *operand)
{
	struct reading r;
	struct page page = { .reading = &r, .no_source = v->no_source };
	int status = reading_open(&r, &v->reading, operand);

	if (status != EXIT_OK)
		return status;
	status = write_page(v, &page);
	reading_close(&r);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;

	if (!v->out && isatty(STDOUT_FILENO))
		return error("html: a page is for a browser, and stdout a terminal; use --out "
			     "FILE");
	return v->old ? page_of_two(v, argv[0]) : page_of_one(v, argv[0]);
}

const struct command cmd_html = {
	.name = "html",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "write a page that shows a trace in any browser",
	.details =
		"The page is one file that needs nothing else: the curve of the run, a flame "
		"graph, tables, source code, leaks, and with --diff a comparison. It can be sent "
		"to a colleague as it is; --no-source keeps source code out of it.",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
