/* SPDX-License-Identifier: MIT */
/* cmd_diff.c - mtracer diff: what changed between two runs or two builds, and whether that is too
 * much. */
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/print/diff_print.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/filter.h"
#include "analyzer/views/selection.h"

#include <stdlib.h>

#define LIMIT_DEFAULT UINT64_MAX /* ROWS_SHOWN if human-readable, all in JSON and CSV */
#define ROWS_SHOWN 20

struct values {
	struct option_list old, new;
	int by;
	const char *sort, *measure;
	const char *fail_over, *fail_over_site;
	uint64_t limit;
	struct option_list match, exclude;
	bool json, csv, markdown;
	struct reading_options reading;
};

static const struct values defaults = { .by = BY_LINE, .limit = LIMIT_DEFAULT };

static const char *const by_names[] = { "line", "function", "file", "module", "site", NULL };

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_MANY, "old", 0, "TRACE...", "several runs before the change; medians are "
		"compared", AT(old) },
	{ OPTION_MANY, "new", 0, "TRACE...", "several runs after the change", AT(new) },
	{ OPTION_CHOICE, "by", 'b', "WHAT", "group by line, function, file, module or site (a "
		"call\nstack) (default: line)", offsetof(struct values, by), by_names },
	{ OPTION_TEXT, "sort", 's', "KEY", "show and sort by KEY: current_bytes, current_blocks, peak_bytes,\n"
		"at_peak_bytes, allocated_bytes, allocations or temporary\n"
		"(default: at_peak_bytes)", AT(sort) },
	{ OPTION_TEXT, "fail-over", 0, "LIMIT", "exit with status 1 if the program's peak grew by "
		"more than\nLIMIT, such as 5% or 64KiB", AT(fail_over) },
	{ OPTION_TEXT, "fail-over-site", 0, "LIMIT", "exit with status 1 if any row grew by more "
		"than LIMIT;\na new row exceeds any percentage", AT(fail_over_site) },
	{ OPTION_TEXT, "measure", 0, "KEY", "apply the limits to KEY (default: peak_bytes, and "
		"at_peak_bytes\nfor rows)", AT(measure) },
	{ OPTION_NUMBER, "limit", 'n', "N", "show at most N rows; 0 for all (default: 20; all "
		"with --json\nor --csv)", AT(limit) },
	{ OPTION_LIST, "match", 'm', "RE", "show only rows whose function, file:line or module "
		"matches\nthe extended regular expression, before or after the change", AT(match) },
	{ OPTION_LIST, "exclude", 'x', "RE", "hide rows that match", AT(exclude) },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON", AT(json) },
	TABLE_OPTION_ROWS(struct values, csv, markdown),
	WIDE_OPTION_ROW(struct values, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct command_state {
	const struct values *values;
	struct diff_trace *traces;
	size_t trace_count, trace_room;
	struct filter *filter;
	struct diff *diff;
	struct diff_view view;
};

/* ---- options */

/* Of what is counted, not measured in bytes, a number says enough. */
static int find_limit(const char *option, const char *text, bool counts, struct limit *limit)
{
	if (!text)
		return EXIT_OK;
	if (!counts && limit_lacks_unit(text))
		return error("diff: '--%s %s' has no unit: %s%% or %sB?", option, text, text, text);
	if (limit_parse(text, limit))
		return EXIT_OK;
	return error("diff: '--%s %s' is neither a percentage such as 5%% nor a size such as 64KiB",
		option, text);
}

static int check_values(struct command_state *c)
{
	const struct values *v = c->values;
	struct diff_view *view = &c->view;
	int status;
	bool counts;

	view->sort = view->site = SORT_AT_PEAK_BYTES;
	view->total = SORT_PEAK_BYTES;
	status = sort_option("diff", "sort", v->sort, false, &view->sort);
	if (status == EXIT_OK && v->measure) {
		status = sort_option("diff", "measure", v->measure, false, &view->total);
		view->site = view->total;
	}
	counts = !measure_is_bytes(view->total);
	if (status == EXIT_OK)
		status = find_limit("fail-over", v->fail_over, counts, &view->limit_total);
	if (status == EXIT_OK)
		status = find_limit("fail-over-site", v->fail_over_site, counts, &view->limit_site);
	if (status == EXIT_OK)
		status = check_one_format("diff", v->json, v->csv, v->markdown);
	return status;
}

/* ---- traces */

static int open_trace(struct command_state *c, const char *path, enum diff_side side)
{
	struct diff_trace trace = { .side = side };
	int status = reading_open(&trace.reading, &c->values->reading, path);

	if (status == EXIT_OK)
		VEC_PUSH(c->traces, c->trace_count, c->trace_room, trace);
	return status;
}

static int open_list(struct command_state *c, const struct option_list *list, enum diff_side side)
{
	for (size_t i = 0; i < list->count; i++) {
		int status = open_trace(c, list->items[i], side);

		if (status != EXIT_OK)
			return status;
	}
	return EXIT_OK;
}

/* OLD NEW, or --old and --new with any number each. */
static int open_traces(struct command_state *c, int argc, char **argv)
{
	const struct values *v = c->values;
	bool lists = v->old.count || v->new.count;
	int status;

	if (lists && argc)
		return error("diff: '%s' is on neither side: with --old and --new all traces "
			     "follow these",
			argv[0]);
	if (lists && (!v->old.count || !v->new.count))
		return error("diff: --%s wants --%s, too", v->old.count ? "old" : "new",
			v->old.count ? "new" : "old");
	if (!lists && argc != 2)
		return error("diff: two traces are required, or --old TRACE... --new TRACE...");
	if (lists) {
		status = open_list(c, &v->old, DIFF_OLD);
		return status == EXIT_OK ? open_list(c, &v->new, DIFF_NEW) : status;
	}
	status = open_trace(c, argv[0], DIFF_OLD);
	return status == EXIT_OK ? open_trace(c, argv[1], DIFF_NEW) : status;
}

/* Compared nevertheless: a program may have been renamed. */
static void warn_of_differences(const struct command_state *c)
{
	const struct trace *first = c->traces[0].reading.trace;

	for (size_t i = 1; i < c->trace_count; i++) {
		const struct trace *other = c->traces[i].reading.trace;

		if (reading_warn_of_difference(first, other))
			return;
		if (first->header.depth != other->header.depth && c->values->by == BY_SITE)
			warning("%s has other depths of stacks than %s", other->path, first->path);
	}
}

/* ---- rows */

static bool row_kept_by(const struct command_state *c, const struct diff_row *row)
{
	struct filter_subject subjects[DIFF_SIDES];
	size_t count = 0;

	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct diff_location *p = &row->locations[side];

		if (p->known)
			subjects[count++] =
				(struct filter_subject){ p->function, p->file, p->line, p->module };
	}
	return filter_is_empty(c->filter) || filter_keeps(c->filter, subjects, count);
}

static void choose_rows(struct command_state *c)
{
	struct diff_view *v = &c->view;
	bool all = c->values->json || c->values->csv;
	uint64_t limit = c->values->limit;
	size_t most = 0;

	diff_sort(c->diff, v->sort);
	v->diff = c->diff;
	v->rows = mem_zalloc(c->diff->row_count + 1, sizeof(*v->rows));
	v->over = mem_zalloc(c->diff->row_count + 1, sizeof(*v->over));
	for (size_t i = 0; i < c->diff->row_count; i++) {
		struct diff_row *row = &c->diff->rows[i];

		if (!row_kept_by(c, row))
			continue;
		v->rows[v->row_count++] = row;
		most += all || row->values[v->sort].changed;
		if (diff_is_comparable(c->diff, v->site) &&
			limit_exceeded(&v->limit_site, &row->values[v->site]))
			v->over[v->over_count++] = row;
	}
	if (limit == LIMIT_DEFAULT)
		limit = all ? 0 : ROWS_SHOWN;
	v->shown = limit && limit < most ? (size_t)limit : most;
}

static int print(const struct command_state *c)
{
	if (c->values->json) {
		diff_print_json(&c->view);
	} else if (c->values->csv) {
		diff_print_csv(&c->view);
	} else if (c->values->markdown) {
		diff_print_markdown(&c->view);
	} else {
		output_start(&c->values->reading, 0);
		diff_print_text(&c->view);
	}
	reading_warn(&c->traces[0].reading);
	reading_warn(&c->traces[c->trace_count - 1].reading);
	if (diff_has_no_verdict(&c->view))
		return EXIT_ERROR;
	return diff_is_over(&c->view) ? EXIT_FOUND : EXIT_OK;
}

/* ---- the command */

static bool any_moment(const struct command_state *c)
{
	bool any = false;

	for (size_t i = 0; i < c->trace_count; i++)
		any |= c->traces[i].reading.trace->moment.kind != MOMENT_END;
	return any;
}

/* Between two moments it is what is held that is asked for. */
static int settle_measures(struct command_state *c)
{
	const struct values *v = c->values;
	struct diff_view *view = &c->view;
	int status = EXIT_OK;

	if (any_moment(c) && !v->sort)
		view->sort = SORT_CURRENT_BYTES;
	if (any_moment(c) && !v->measure)
		view->total = view->site = SORT_CURRENT_BYTES;
	for (size_t i = 0; i < c->trace_count && status == EXIT_OK; i++) {
		const struct trace *t = c->traces[i].reading.trace;

		status = sort_option_settle(sort_key_names[view->sort], t, &view->sort);
		if (status == EXIT_OK && v->measure)
			status = sort_option_settle(v->measure, t, &view->site);
	}
	return status;
}

static int compare(struct command_state *c)
{
	int status = settle_measures(c);

	if (status != EXIT_OK)
		return status;
	warn_of_differences(c);
	c->diff = diff_new(c->traces, c->trace_count, (enum profile_by)c->values->by);
	choose_rows(c);
	status = print(c);
	free(c->view.rows);
	free(c->view.over);
	diff_free(c->diff);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	struct command_state c = { .values = values };
	int status = check_values(&c);
	char why[512];

	if (status != EXIT_OK)
		return status;
	c.filter = filter_new(&c.values->match, &c.values->exclude, why, sizeof(why));
	if (!c.filter)
		return error("diff: %s", why);
	status = open_traces(&c, argc, argv);
	if (status == EXIT_OK)
		status = compare(&c);
	for (size_t i = 0; i < c.trace_count; i++)
		reading_close(&c.traces[i].reading);
	free(c.traces);
	filter_free(c.filter);
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.usage = "[OPTION]... OLD NEW | --old TRACE... --new TRACE...",
	.summary = "show what changed between two runs or builds",
	.details =
		"Code is matched by module, function and call structure, not by address or "
		"line number, so code that merely moved shows no difference. Rows say what grew, "
		"shrank, appeared or disappeared; a function whose surroundings are unchanged is "
		"shown as renamed, '(was NAME)'. With several traces per side, medians are "
		"compared, and a change within the spread of either side is not reported as one. "
		"Keep the old trace with 'mtracer pack', so that it can still be compared when "
		"its binaries are gone. The exit status is 1 if a limit is exceeded, and 2 if "
		"there is no verdict: a limit applies to peaks, but the program reset them "
		"(mtrace_reset_peak) in only some of the traces.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = -1,
	.run = run,
};
