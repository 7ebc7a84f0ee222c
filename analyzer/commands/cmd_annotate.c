/* SPDX-License-Identifier: MIT */
/* cmd_annotate.c - mtracer annotate: the program's source with the memory of each line beside
 * it. */
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/pager.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/table.h"
#include "analyzer/base/width.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/print/listing.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/annotation.h"
#include "analyzer/views/gather.h"
#include "analyzer/views/livetrace.h"
#include "analyzer/views/newest.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/selection.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT UINT64_MAX /* FUNCTIONS_SHOWN, and only such as matter */
#define FUNCTIONS_SHOWN 10
#define CONTEXT_DEFAULT 3

struct values {
	const char *sort;
	uint64_t limit;
	uint64_t context;
	bool all;
	bool json;
	uint64_t width;
	struct reading_options reading;
};

static const struct values defaults = { .limit = LIMIT_DEFAULT, .context = CONTEXT_DEFAULT };

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_TEXT, "sort", 's', "KEY", "rank by: at_peak_bytes (the default), "
		"current_bytes,\ncurrent_blocks, allocated_bytes, allocations or temporary",
		offsetof(struct values, sort), NULL },
	{ OPTION_NUMBER, "limit", 'n', "N", "without FUNCTION or FILE: show at most N functions; "
		"0 for all\n(default: 10, only those with at least 1 %)",
		offsetof(struct values, limit), NULL },
	{ OPTION_NUMBER, "context", 'C', "N", "show N lines of context around each line that has "
		"figures\n(default: 3)",
		offsetof(struct values, context), NULL },
	{ OPTION_FLAG, "all", 'a', NULL, "show whole functions",
		offsetof(struct values, all), NULL },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON",
		offsetof(struct values, json), NULL },
	OUTPUT_OPTION_ROWS(struct values, width, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct annotate {
	const struct values *values;
	struct reading reading;
	struct annotation *annotation;
	struct selection selection;
	enum sort_key key;
};

/* ---- for machines */

static void measures_json(const struct measures *m, struct json *j)
{
	measure_json(m, SORT_CURRENT_BYTES, j);
	measure_json(m, SORT_CURRENT_BLOCKS, j);
	exact_peak_json(m, j);
	measure_json(m, SORT_AT_PEAK_BYTES, j);
	measure_json(m, SORT_ALLOCATED_BYTES, j);
	measure_json(m, SORT_ALLOCATIONS, j);
	frees_json(m, j);
	measure_json(m, SORT_TEMPORARY, j);
}

static void both_json(const struct tally_sum *own, const struct tally_sum *all, struct json *j)
{
	measures_json(&own->m, j);
	json_object(j, "inclusive", true);
	measures_json(&all->m, j);
	json_close(j);
}

static void line_json(const struct annotate *a, const struct annotated_line *line, struct json *j)
{
	char offset[UNIT_TEXT];

	json_object(j, NULL, true);
	json_text(j, "file", line->file);
	json_known(j, "line", line->line);
	if (!line->file) {
		snprintf(offset, sizeof(offset), "%#llx", (unsigned long long)line->offset);
		json_text(j, "offset", offset);
	}
	json_text(j, "text", source_line(a->reading.sources, line->file, line->line));
	both_json(&line->own, &line->all, j);
	json_close(j);
}

static void function_json(const struct annotate *a, const struct annotated *f, struct json *j)
{
	const struct source_file *source =
		f->file ? source_find(a->reading.sources, f->file) : NULL;

	json_object(j, NULL, false);
	json_text(j, "function", f->name);
	json_unsigned(j, "names", f->names);
	json_text(j, "file", f->file);
	json_known(j, "line", f->line);
	json_known(j, "last_line", f->file ? f->extent.last : 0);
	json_text(j, "module", f->module);
	json_text(j, "source", source ? source->found : NULL);
	json_text(j, "source_problem", source ? source->problem : NULL);
	json_bool(j, "source_is_newer",
		source && source_is_other(
				  a->reading.sources, f->file, a->reading.resolver, f->module));
	both_json(&f->own, &f->all, j);
	json_array(j, "lines", f->line_count == 0);
	for (size_t i = 0; i < f->line_count; i++)
		line_json(a, f->lines[i], j);
	json_close(j);
	json_close(j);
}

static void print_json(const struct annotate *a)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	summary_json(a->reading.trace, &annotation_tally(a->annotation)->totals, &j);
	json_text(&j, "sort", sort_key_names[a->key]);
	json_array(&j, "functions", a->selection.count == 0);
	for (size_t i = 0; i < a->selection.count; i++) {
		const struct annotated *f =
			annotation_function(a->annotation, a->selection.items[i]);

		if (f->chosen)
			function_json(a, f, &j);
	}
	json_close(&j);
	reading_json(&a->reading, &j);
	json_close(&j);
	json_finish(&j);
}

/* ---- human-readable */

static struct paths *collect_paths(const struct annotate *a)
{
	struct paths *paths = paths_new();

	for (size_t i = 0; i < a->selection.count; i++) {
		const struct annotated *f =
			annotation_function(a->annotation, a->selection.items[i]);

		paths_add(paths, f->file);
		paths_add(paths, f->module);
		for (size_t k = 0; k < f->line_count; k++)
			paths_add(paths, f->lines[k]->file);
	}
	return paths;
}

static void print_functions(const struct annotate *a)
{
	struct listing_options how = {
		.key = a->key,
		.context = a->values->all		      ? UINT32_MAX
			   : a->values->context >= UINT32_MAX ? UINT32_MAX
							      : (uint32_t)a->values->context,
		.width = output_width(),
		.resolver = a->reading.resolver,
	};
	struct paths *paths = collect_paths(a);
	struct listing *listing = listing_new(a->annotation, a->reading.sources, paths, &how);

	for (size_t i = 0; i < a->selection.count; i++) {
		const struct annotated *f =
			annotation_function(a->annotation, a->selection.items[i]);

		if (f->chosen)
			listing_add(listing, f);
	}
	listing_print(listing);
	listing_free(listing);
	paths_free(paths);
}

static void print_rest(const struct annotate *a)
{
	const struct selection *s = &a->selection;
	const struct tally *tally = annotation_tally(a->annotation);
	uint64_t whole = (uint64_t)sort_measure(&tally->totals.all, a->key);
	char text[UNIT_TEXT];

	if (!s->left_out)
		return;
	printf("\n%zu more function%s, ", s->left_out, s->left_out == 1 ? "" : "s");
	printf("%s", format_measure(text, s->left_out_measure, a->key));
	if (whole)
		printf(" (%s)", format_share(text, (uint64_t)s->left_out_measure, whole));
	puts(": --limit 0");
}

static void print_text(const struct annotate *a)
{
	output_start_long(&a->values->reading, a->values->width);
	summary_print(a->reading.trace, &annotation_tally(a->annotation)->totals, stdout);
	putchar('\n');
	if (a->selection.count)
		print_functions(a);
	else
		puts("nothing was allocated");
	print_rest(a);
}

/* ---- the command */

static int select_functions(struct annotate *a, int argc, char **argv)
{
	uint64_t limit = a->values->limit;
	int status = EXIT_OK;

	if (argc)
		a->selection = select_matching(a->annotation, a->key, argv, argc, &status);
	else
		a->selection = select_largest(a->annotation, a->key,
			limit == LIMIT_DEFAULT ? FUNCTIONS_SHOWN : limit, limit != LIMIT_DEFAULT);
	for (size_t i = 0; i < a->selection.count; i++)
		annotation_choose(a->annotation, a->selection.items[i]);
	return status;
}

static int annotate(struct annotate *a, int argc, char **argv)
{
	int status;

	a->annotation = annotation_new(a->reading.trace, a->reading.resolver);
	status = select_functions(a, argc, argv);
	if (status == EXIT_OK) {
		annotation_fill(a->annotation);
		if (a->values->json)
			print_json(a);
		else
			print_text(a);
	}
	reading_warn(&a->reading);
	selection_release(&a->selection);
	annotation_free(a->annotation);
	return status;
}

/* Puts the trace first, wherever it stands among the operands. What can be something else is one in
 * front only. */
static int find_trace(int argc, char **argv, bool *named)
{
	*named = argc && means_trace(argv[0]);
	for (int i = 1; i < argc; i++) {
		char *trace = argv[i];

		if (!names_trace(trace))
			continue;
		if (*named)
			return error(
				"annotate: only one trace can be given, not both '%s' and '%s'",
				argv[0], trace);
		for (int at = i; at > 0; at--)
			argv[at] = argv[at - 1];
		argv[0] = trace;
		*named = true;
	}
	return EXIT_OK;
}

/* A file here that isn't even named like a trace, nor as a path: maybe the program itself. */
static bool is_mere_file(const char *operand)
{
	uint32_t pid;

	return !names_trace(operand) && !strchr(operand, '/') && !is_directory(operand) &&
	       !livetrace_is_pid(operand, &pid);
}

static int run(const void *values, int argc, char **argv)
{
	struct annotate a = { .values = values, .key = SORT_AT_PEAK_BYTES };
	int status = sort_option_sums("annotate", a.values->sort, &a.key);
	bool named;

	if (status == EXIT_OK)
		status = find_trace(argc, argv, &named);
	if (status == EXIT_OK && named && is_mere_file(argv[0]))
		status = error("%s: not a trace; to select a function of that name, give the "
			       "trace first",
			argv[0]);
	if (status != EXIT_OK)
		return status;
	status = reading_open(&a.reading, &a.values->reading, named ? argv[0] : NULL);
	if (status != EXIT_OK)
		return status;
	status = sort_option_settle(a.values->sort, a.reading.trace, &a.key);
	if (status == EXIT_OK)
		status = annotate(&a, argc - named, argv + named);
	reading_close(&a.reading);
	return status;
}

const struct command cmd_annotate = {
	.name = "annotate",
	.usage = "[OPTION]... [TRACE|PID] [FUNCTION|FILE[:LINE]|RE]...",
	.summary = "show source code annotated with memory use",
	.details =
		"FUNCTION may omit namespaces and template arguments, and FILE its leading "
		"directories; anything else is an extended regular expression matched against "
		"both. Without arguments, the functions that held most at the peak are shown. A "
		"line's figures cover its own allocations; 'incl.' is what the line and "
		"everything it calls held at the peak (or another measure selected with --sort). "
		"'>' marks lines with at least 5 % of the program's memory.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = -1,
	.run = run,
};
