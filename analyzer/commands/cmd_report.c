/* SPDX-License-Identifier: MIT */
/* cmd_report.c - mtracer report: where the memory of a run came from, line by line. */
#include "analyzer/base/array.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shell.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/width.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/symbols/source.h"
#include "analyzer/views/filter.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/selection.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT UINT64_MAX /* ROWS_SHOWN if human-readable, all in JSON and CSV */
#define ROWS_SHOWN 20
#define MODULES_NAMED 5
#define SOURCE_SHOWN 100 /* bytes of a source line */

struct values {
	int by;
	const char *sort;
	bool cumulative;
	bool slack;
	uint64_t limit;
	struct option_list match, exclude;
	bool json, csv, markdown;
	struct reading_options reading;
};

static const struct values defaults = { .by = BY_LINE, .limit = LIMIT_DEFAULT };

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_CHOICE, "by", 'b', "WHAT", "group by line, function, file, module, site (a "
		"call\nstack) or thread (default: line)",
		offsetof(struct values, by), profile_by_names },
	{ OPTION_TEXT, "sort", 's', "KEY", "sort by KEY: current_bytes, current_blocks, "
		"peak_bytes,\nat_peak_bytes, allocated_bytes, allocations, temporary or "
		"name\n(default: at_peak_bytes; allocated_bytes for threads)",
		offsetof(struct values, sort), NULL },
	{ OPTION_FLAG, "cumulative", 'c', NULL, "include memory allocated by callees",
		offsetof(struct values, cumulative), NULL },
	{ OPTION_FLAG, "slack", 0, NULL, "show how much more the allocator provided than "
		"was\nrequested, for live blocks and over the whole run (needs a trace\nrecorded "
		"with MTRACE_SLACK=1)",
		offsetof(struct values, slack), NULL },
	{ OPTION_NUMBER, "limit", 'n', "N", "show at most N rows; 0 for all (default: 20; all "
		"with --json\nor --csv)",
		offsetof(struct values, limit), NULL },
	{ OPTION_LIST, "match", 'm', "RE", "show only rows whose function, file:line or module "
		"matches\nthe extended regular expression (for sites: any frame)",
		offsetof(struct values, match), NULL },
	{ OPTION_LIST, "exclude", 'x', "RE", "hide rows that match",
		offsetof(struct values, exclude), NULL },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON",
		offsetof(struct values, json), NULL },
	TABLE_OPTION_ROWS(struct values, csv, markdown),
	WIDE_OPTION_ROW(struct values, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct report {
	const struct values *values;
	struct reading reading;
	struct profile *profile;
	struct filter *filter;
	enum sort_key sort;
	struct row **rows; /* that the filter keeps, in order */
	size_t row_count;
	size_t shown; /* of these */
};

/* ---- rows */

static void choose_rows(struct report *r)
{
	struct profile *p = r->profile;
	uint64_t limit = r->values->limit;

	profile_sort(p, r->sort);
	r->rows = mem_zalloc(p->row_count, sizeof(*r->rows));
	for (size_t i = 0; i < p->row_count; i++) {
		if (row_kept(&p->rows[i], p, r->reading.trace, r->reading.resolver, r->filter))
			r->rows[r->row_count++] = &p->rows[i];
	}
	if (limit == LIMIT_DEFAULT)
		limit = r->values->json || r->values->csv ? 0 : ROWS_SHOWN;
	r->shown = limit && limit < r->row_count ? (size_t)limit : r->row_count;
}

/* ---- for machines */

static void print_row(const struct report *r, const struct row *row, struct json *j)
{
	json_object(j, NULL, true);
	row_json(row, r->profile, r->reading.trace, j);
	if (r->profile->by == BY_SITE)
		stack_json(r->reading.trace, r->reading.resolver, row->site, j);
	json_close(j);
}

static void print_csv(const struct report *r)
{
	static const struct row titles;
	struct json j;

	json_start_csv(&j, stdout);
	print_row(r, &titles, &j);
	for (size_t i = 0; i < r->shown; i++)
		print_row(r, r->rows[i], &j);
}

static void print_json(const struct report *r)
{
	const struct profile *p = r->profile;
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	summary_json(r->reading.trace, &p->totals, &j);
	json_text(&j, "by", profile_by_names[p->by]);
	json_bool(&j, "cumulative", p->cumulative);
	json_text(&j, "sort", sort_key_names[r->sort]);
	json_unsigned(&j, "row_count", r->row_count);
	json_array(&j, "rows", r->shown == 0);
	for (size_t i = 0; i < r->shown; i++)
		print_row(r, r->rows[i], &j);
	json_close(&j);
	reading_json(&r->reading, &j);
	json_close(&j);
	json_finish(&j);
}

/* ---- human-readable */

static struct paths *collect_paths(const struct report *r)
{
	struct paths *paths = paths_new();

	for (size_t i = 0; i < r->shown; i++) {
		paths_add(paths, r->rows[i]->file);
		paths_add(paths, r->rows[i]->module);
		if (r->profile->by == BY_SITE)
			stack_walk(r->reading.trace, r->reading.resolver, r->rows[i]->site,
				add_frame_paths, paths);
	}
	return paths;
}

static void note_source(const struct report *r, const struct row *row, struct table *table)
{
	struct source_cache *sources = r->reading.sources;
	const char *line =
		row->file && row->line ? source_line(sources, row->file, row->line) : NULL;
	struct strbuf text = { 0 };
	size_t size;

	if (!line)
		return;
	source_is_other(sources, row->file, r->reading.resolver, row->module);
	line += strspn(line, " \t");
	size = strlen(line);
	if (size > SOURCE_SHOWN) {
		for (size = SOURCE_SHOWN; ((unsigned char)line[size] & 0xc0) == 0x80;)
			size--; /* not inside a character */
	}
	strbuf_add(&text, "   ");
	strbuf_add_bytes(&text, line, size);
	strbuf_add(&text, line[size] ? " ..." : "");
	if (size)
		table_note(table, strbuf_text(&text));
	strbuf_release(&text);
}

static void add_columns(struct table *table)
{
	static const struct {
		const char *title;
		unsigned spare;
	} numbers[] = { { "at peak", 0 }, { "share", 0 }, { "own peak", 1 }, { "current", 0 },
		{ "allocated", 3 }, { "allocs", 0 }, { "temp", 2 }, { "slack", 0 },
		{ "slack in all", 4 } };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		table_column(table, numbers[i].title, ALIGN_RIGHT);
		table_spare(table, numbers[i].spare);
	}
	table_column(table, "where", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	table_column(table, "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_notes_at(table, ARRAY_SIZE(numbers));
}

/* A measure, its standard error where there is one, and the mark of a bound. */
static void add_measure(struct table *table, const struct measures *m, enum sort_key key)
{
	char value[UNIT_TEXT], error[UNIT_TEXT], cell[2 * UNIT_TEXT + 8];
	int64_t number = sort_measure(m, key);

	if (!measure_is_known(m, key)) {
		table_cell(table, "");
		return;
	}
	snprintf(cell, sizeof(cell), "%s%s%s",
		key == SORT_PEAK_BYTES && m->peak_is_bound ? "≤ " : "",
		format_measure(value, number, key),
		format_error(error, standard_error(measure_variance(&m->v, key)), number));
	table_cell(table, cell);
}

static void add_measures(
	struct table *table, const struct row *row, const struct profile *p, bool slack)
{
	bool peaks = p->by != BY_THREAD;
	char text[UNIT_TEXT];

	if (peaks) {
		add_measure(table, &row->m, SORT_AT_PEAK_BYTES);
		table_cell(table,
			measure_is_known(&row->m, SORT_AT_PEAK_BYTES)
				? format_share(text, row->m.at_peak_bytes, p->totals.all.peak_bytes)
				: "");
		add_measure(table, &row->m, SORT_PEAK_BYTES);
	} else {
		for (int i = 0; i < 3; i++)
			table_cell(table, "");
	}
	add_measure(table, &row->m, SORT_CURRENT_BYTES);
	add_measure(table, &row->m, SORT_ALLOCATED_BYTES);
	add_measure(table, &row->m, SORT_ALLOCATIONS);
	add_measure(table, &row->m, SORT_TEMPORARY);
	table_cell(table, slack ? format_bytes(text, row->m.current_slack) : "");
	table_cell(table, slack ? format_bytes(text, (int64_t)row->m.allocated_slack) : "");
}

static void add_row(
	const struct report *r, const struct row *row, struct table *table, struct paths *paths)
{
	struct strbuf text = { 0 };

	table_row(table);
	add_measures(table, row, r->profile, r->values->slack);
	row_location(row, r->profile->by, r->reading.trace, paths, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	row_function(row, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_release(&text);
	if (r->profile->by == BY_SITE)
		note_stack(table, r->reading.trace, r->reading.resolver, row->site, paths);
	else
		note_source(r, row, table);
}

static void print_table(const struct report *r, void (*print)(const struct table *, FILE *))
{
	struct paths *paths = collect_paths(r);
	struct table *table = table_new();

	add_columns(table);
	for (size_t i = 0; i < r->shown; i++)
		add_row(r, r->rows[i], table, paths);
	print(table, stdout);
	table_free(table);
	paths_free(paths);
}

/* Which modules' rows have no lines because there is no debug information: what to install or
 * rebuild. */
static void print_missing_lines(const struct report *r)
{
	const char *named[MODULES_NAMED];
	size_t count = 0;

	for (size_t i = 0; i < r->shown && count < MODULES_NAMED; i++) {
		const char *module = r->rows[i]->file ? NULL : r->rows[i]->module;
		size_t known = 0;

		while (known < count && named[known] != module)
			known++;
		if (module && known == count && !resolver_has_lines(r->reading.resolver, module))
			named[count++] = module;
	}
	for (size_t i = 0; i < count; i++) {
		struct strbuf name = { 0 };

		strbuf_add_clean(&name, path_base(named[i]));
		printf("%s%s", i ? ", " : "no line numbers, because debug information is missing: ",
			strbuf_text(&name));
		strbuf_release(&name);
	}
	if (count)
		puts(count == MODULES_NAMED ? ", ..." : "");
}

/* Where the width does for it: a command is for copying, and stays on one line. */
static void add_comment(struct strbuf *command, size_t used, const char *comment)
{
	static const char lead[] = "   # ";
	size_t rest = sizeof(lead) - 1 + text_width(comment);

	if (output_width() - used - text_width(strbuf_text(command)) >= rest &&
		used + text_width(strbuf_text(command)) <= output_width())
		strbuf_addf(command, "%s%s", lead, comment);
}

/* What to look at next; a hint appears when its command exists and isn't what was just done. */
static void print_hints(const struct report *r)
{
	static const struct {
		const char *command, *options, *text;
		int by; /* not after a report of this kind; -1 = always */
	} hints[] = {
		{ "annotate", "", "source annotated with memory use", -1 },
		{ "tree", "", "the calls that lead to it", -1 },
		{ "leaks", "", "blocks that were leaked", -1 },
		{ "report", " --by site", "the same with full call stacks", BY_SITE },
		{ "report", " --cumulative --by function", "totals per function, including callees",
			-1 },
		{ "diff", " OLD", "what changed since another run", -1 },
	};
	struct strbuf command = { 0 };
	const char *lead = "next:";
	int count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hints) && count < 3; i++) {
		if (!command_find(hints[i].command) || hints[i].by == (int)r->profile->by ||
			(r->reading.trace->moment.kind != MOMENT_END &&
				strcmp(hints[i].command, "leaks") == 0) ||
			(r->profile->cumulative && strstr(hints[i].options, "--cumulative")))
			continue;
		strbuf_clear(&command);
		shell_add_self(&command);
		strbuf_addf(&command, " %s%s", hints[i].command, hints[i].options);
		shell_add_operand(&command, r->reading.trace->path);
		add_comment(&command, sizeof("next: ") - 1, hints[i].text);
		printf("%s%-5s %s%s\n", style(STYLE_FAINT), lead, strbuf_text(&command),
			style(STYLE_PLAIN));
		lead = "";
		count++;
	}
	strbuf_release(&command);
}

/* A thread that frees what others allocated has less than nothing. */
static void print_debts(const struct report *r)
{
	for (size_t i = 0; i < r->shown && r->profile->by == BY_THREAD; i++) {
		if (r->rows[i]->m.current_bytes < 0) {
			puts("negative values: the thread freed blocks allocated by other threads");
			return;
		}
	}
}

static void print_text(const struct report *r)
{
	size_t more = r->row_count - r->shown;

	output_start(&r->values->reading, 0);
	summary_print(r->reading.trace, &r->profile->totals, stdout);
	putchar('\n');
	if (r->row_count) {
		print_table(r, table_print);
		print_debts(r);
	} else {
		puts(r->profile->row_count ? "no row matches" : "nothing was allocated");
	}
	if (more)
		printf("%zu more row%s: --limit 0\n", more, more == 1 ? "" : "s");
	if (r->profile->by != BY_MODULE && r->profile->by != BY_THREAD)
		print_missing_lines(r);
	if (r->row_count) {
		putchar('\n');
		print_hints(r);
	}
}

static void print_markdown(const struct report *r)
{
	size_t more = r->row_count - r->shown;

	summary_markdown(r->reading.trace, &r->profile->totals);
	putchar('\n');
	print_table(r, table_markdown);
	if (!r->row_count)
		puts(r->profile->row_count ? "no row matches" : "nothing was allocated");
	if (more)
		printf("\n%zu more row%s\n", more, more == 1 ? "" : "s");
}

/* ---- the command */

static int check_values(const struct values *v, enum sort_key *sort)
{
	*sort = v->by == BY_THREAD ? SORT_ALLOCATED_BYTES : SORT_AT_PEAK_BYTES;
	if (v->cumulative && (v->by == BY_SITE || v->by == BY_THREAD))
		return error("report: --cumulative requires --by line, function, file or module");
	if (v->slack && v->by == BY_THREAD)
		return error("report: --slack is not available by thread");
	if (check_one_format("report", v->json, v->csv, v->markdown) != EXIT_OK)
		return EXIT_ERROR;
	return sort_option("report", "sort", v->sort, true, sort);
}

static int check_trace(struct report *r)
{
	const struct trace *t = r->reading.trace;
	bool moment = t->moment.kind != MOMENT_END;

	if (moment && r->values->by == BY_THREAD)
		return error("%s: threads are known only of the end", t->path);
	if (moment && r->values->slack)
		return error("%s: slack is known only of the end", t->path);
	if (r->values->slack && !t->slack)
		return error(
			"%s: no slack was recorded; use 'mtracer run --slack' or MTRACE_SLACK=1",
			t->path);
	return sort_option_settle(r->values->sort, t, &r->sort);
}

static int run(const void *values, int argc, char **argv)
{
	struct report r = { .values = values };
	char why[512];
	int status = check_values(r.values, &r.sort);

	if (status != EXIT_OK)
		return status;
	r.filter = filter_new(&r.values->match, &r.values->exclude, why, sizeof(why));
	if (!r.filter)
		return error("report: %s", why);
	status = reading_open(&r.reading, &r.values->reading, argv[0]);
	if (status == EXIT_OK && check_trace(&r) != EXIT_OK) {
		status = EXIT_ERROR;
		reading_close(&r.reading);
	}
	if (status == EXIT_OK) {
		r.profile = profile_new(
			r.reading.trace, r.reading.resolver, r.values->by, r.values->cumulative);
		choose_rows(&r);
		if (r.values->json)
			print_json(&r);
		else if (r.values->csv)
			print_csv(&r);
		else if (r.values->markdown)
			print_markdown(&r);
		else
			print_text(&r);
		reading_warn(&r.reading);
		free(r.rows);
		profile_free(r.profile);
		reading_close(&r.reading);
	}
	filter_free(r.filter);
	return status;
}

const struct command cmd_report = {
	.name = "report",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "show where memory was allocated, line by line",
	.details =
		"Memory is attributed to the innermost function that is neither an allocation "
		"function nor a wrapper of one. 'at peak' is what a row held when the whole "
		"program's memory use was highest; 'own peak' is the most the row itself ever "
		"held (a leading ≤ marks an upper bound); 'temp' counts allocations freed before "
		"the thread's next allocation.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
