/* SPDX-License-Identifier: MIT */
/* cmd_tree.c - mtracer tree: which calls lead to the memory; and one function between its callers
 * and callees. */
#include "analyzer/base/array.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/width.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/print/peekview.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/calltree.h"
#include "analyzer/views/filter.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/selection.h"

#include <stdlib.h>
#include <string.h>

#define PERCENT_DEFAULT 1.0 /* human-readable; JSON and CSV have all */
#define GAP 2
#define NAMES_LEAST 32	  /* columns that branches and names have before figures go for them */
#define LOCATION_LEAST 10 /* columns of a path that are worth showing */

struct values {
	bool callers;
	bool lines;
	const char *peek;
	const char *sort;
	const char *min_percent;
	uint64_t depth;
	struct option_list match, exclude;
	bool json, csv, markdown;
	uint64_t width;
	struct reading_options reading;
};

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_FLAG, "callers", 'c', NULL, "bottom-up: from allocating functions to their "
		"callers",
		offsetof(struct values, callers), NULL },
	{ OPTION_TEXT, "peek", 'p', "FUNCTION", "show FUNCTION with its callers and callees; "
		"FUNCTION as in\n'mtracer annotate'",
		offsetof(struct values, peek), NULL },
	{ OPTION_FLAG, "lines", 'l', NULL, "make a node per calling line instead of per function",
		offsetof(struct values, lines), NULL },
	{ OPTION_TEXT, "sort", 's', "KEY", "rank by: at_peak_bytes (the default), "
		"current_bytes,\ncurrent_blocks, allocated_bytes, allocations or temporary",
		offsetof(struct values, sort), NULL },
	{ OPTION_TEXT, "min-percent", 0, "P", "hide nodes with less than P percent of the "
		"program's total\n(default: 1; 0 with --json or --csv)",
		offsetof(struct values, min_percent), NULL },
	{ OPTION_NUMBER, "depth", 'd', "N", "show at most N levels; 0 for all (the default)",
		offsetof(struct values, depth), NULL },
	{ OPTION_LIST, "match", 'm', "RE", "use only stacks with a function, file:line or module "
		"that\nmatches the extended regular expression",
		offsetof(struct values, match), NULL },
	{ OPTION_LIST, "exclude", 'x', "RE", "ignore stacks that match",
		offsetof(struct values, exclude), NULL },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON",
		offsetof(struct values, json), NULL },
	TABLE_OPTION_ROWS(struct values, csv, markdown),
	OUTPUT_OPTION_ROWS(struct values, width, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

/* A line of the printed tree. */
struct branch {
	uint32_t call; /* CALL_NONE: what was cut off */
	char *prefix;  /* the branches in front of it */
	char *note;    /* of what was cut off */
};

struct view {
	const struct values *values;
	struct reading reading;
	struct tally tally;
	struct filter *filter;
	enum sort_key key;
	double percent;
	struct calltree *tree;
	struct branch *branches;
	size_t branch_count, branch_room;
	struct paths *paths;
};

static int64_t measure_of(const struct view *v, const struct measures *m)
{
	return sort_measure(m, v->key);
}

static int64_t whole(const struct view *v)
{
	return measure_of(v, &v->tally.totals.all);
}

static bool is_large(const struct view *v, uint32_t call)
{
	int64_t measure = measure_of(v, &v->tree->calls[call].all);

	return (double)measure >= v->percent / 100 * (double)whole(v) &&
	       (measure > 0 || v->percent <= 0);
}

/* ---- which calls are shown */

/* A node's children: how many are shown, and what the rest holds. */
struct cut {
	size_t shown, rest;
	int64_t rest_measure; /* 0 where it isn't worth a line */
	bool too_deep;
};

static struct cut cut_children(const struct view *v, uint32_t call, uint64_t depth)
{
	struct cut cut = { .too_deep = v->values->depth && depth >= v->values->depth };
	uint32_t c = v->tree->calls[call].first_child;

	for (; c != CALL_NONE; c = v->tree->calls[c].next) {
		if (!cut.too_deep && is_large(v, c)) {
			cut.shown++;
		} else {
			cut.rest++;
			cut.rest_measure += measure_of(v, &v->tree->calls[c].all);
		}
	}
	/* Many small rests would only hide what is large. */
	if (!cut.too_deep && (double)cut.rest_measure < v->percent / 100 / 2 * (double)whole(v))
		cut.rest_measure = 0;
	return cut;
}

static void push_branch(struct view *v, uint32_t call, const char *prefix, const char *glyph)
{
	struct strbuf text = { 0 };
	struct branch branch = { .call = call };

	strbuf_add(&text, prefix);
	strbuf_add(&text, glyph);
	branch.prefix = mem_strdup(strbuf_text(&text));
	strbuf_release(&text);
	VEC_PUSH(v->branches, v->branch_count, v->branch_room, branch);
}

static void push_rest(struct view *v, const struct cut *cut, const char *prefix, const char *glyph)
{
	struct strbuf text = { 0 };
	char number[UNIT_TEXT];

	if (cut->rest_measure == 0)
		return;
	push_branch(v, CALL_NONE, prefix, glyph);
	strbuf_addf(&text, "%zu %s, %s", cut->rest, cut->too_deep ? "deeper" : "more",
		format_measure(number, cut->rest_measure, v->key));
	v->branches[v->branch_count - 1].note = mem_strdup(text.text);
	strbuf_release(&text);
}

/* An only child goes under its parent without a branch, so that long chains stay narrow. */
static void add_children(struct view *v, uint32_t call, const char *prefix, uint64_t depth)
{
	struct cut cut = cut_children(v, call, depth);
	bool only = cut.shown == 1 && (cut.rest_measure == 0 || call == 0);
	size_t left = cut.shown;
	struct strbuf below = { 0 };

	for (uint32_t c = v->tree->calls[call].first_child; c != CALL_NONE && left;
		c = v->tree->calls[c].next) {
		bool last;

		if (!is_large(v, c))
			continue;
		last = --left == 0 && cut.rest_measure == 0;
		push_branch(v, c, prefix, only || call == 0 ? "" : last ? "└ " : "├ ");
		strbuf_clear(&below);
		strbuf_add(&below, prefix);
		strbuf_add(&below, only ? "" : call == 0 ? "  " : last ? "  " : "│ ");
		add_children(v, c, strbuf_text(&below), depth + 1);
	}
	push_rest(v, &cut, prefix, call == 0 ? "" : "└ ");
	strbuf_release(&below);
}

/* ---- human-readable */

static void collect_paths(struct view *v)
{
	v->paths = paths_new();
	for (size_t i = 0; i < v->branch_count; i++) {
		if (v->branches[i].call == CALL_NONE)
			continue;
		paths_add(v->paths, v->tree->calls[v->branches[i].call].file);
		paths_add(v->paths, v->tree->calls[v->branches[i].call].module);
	}
}

static void add_location(const struct view *v, const struct call *call, struct strbuf *text)
{
	if (call->file && call->line)
		strbuf_addf(text, "%s:%u", paths_short(v->paths, call->file), call->line);
	else if (call->file)
		strbuf_add(text, paths_short(v->paths, call->file));
	else if (call->module && call->offset)
		strbuf_addf(text, "%s+%#llx", paths_short(v->paths, call->module),
			(unsigned long long)call->offset);
	else if (call->module && !is_bare_offset(call->function, call->module))
		strbuf_add(text, paths_short(v->paths, call->module));
}

/* Of deep branches the innermost are shown: each is two columns, and the name is to have most. */
static size_t print_prefix(const char *prefix, size_t room)
{
	size_t width = text_width(prefix), more;
	bool cut = width > room / 2;

	for (; cut && width + GAP > room / 2 && *prefix; width -= more)
		prefix += character_size(prefix, &more);
	printf("%s%s%s%s", style(STYLE_FAINT), cut ? "… " : "", prefix, style(STYLE_PLAIN));
	return width + (cut ? GAP : 0);
}

static void print_call(const struct view *v, const struct call *call, size_t room)
{
	struct strbuf raw = { 0 }, name = { 0 }, location = { 0 }, text = { 0 };
	size_t width;

	strbuf_add_clean(&name, call->function);
	strbuf_add(&name, call->recursive ? " (recursive)" : "");
	add_location(v, call, &raw);
	strbuf_add_clean(&location, strbuf_text(&raw));
	strbuf_add_name(&text, strbuf_text(&name), room);
	fputs(strbuf_text(&text), stdout);
	width = text_width(strbuf_text(&text)) + GAP;
	if (location.size && room > width) {
		strbuf_clear(&text);
		strbuf_add_path(&text, location.text, room - width);
		if (text_width(text.text) >= LOCATION_LEAST ||
			strcmp(text.text, location.text) == 0)
			printf("%*s%s%s%s", GAP, "", style(STYLE_FAINT), text.text,
				style(STYLE_PLAIN));
	}
	strbuf_release(&raw);
	strbuf_release(&name);
	strbuf_release(&location);
	strbuf_release(&text);
}

static void print_branch(const struct view *v, const struct branch *branch, size_t room)
{
	struct strbuf text = { 0 };

	room -= print_prefix(branch->prefix, room);
	if (branch->call != CALL_NONE) {
		print_call(v, &v->tree->calls[branch->call], room);
	} else {
		strbuf_add_cut(&text, branch->note, room);
		printf("%s%s%s", style(STYLE_FAINT), strbuf_text(&text), style(STYLE_PLAIN));
	}
	putchar('\n');
	strbuf_release(&text);
}

enum column { MEASURE, SHARE, SELF, ALLOCATIONS, COLUMNS };

static void fill_cells(
	const struct view *v, const struct call *call, char cells[COLUMNS][UNIT_TEXT])
{
	int64_t all = measure_of(v, &call->all), own = measure_of(v, &call->own);

	format_known(cells[MEASURE], &call->all, v->key);
	format_share(cells[SHARE], (uint64_t)all, (uint64_t)whole(v));
	cells[SELF][0] = cells[ALLOCATIONS][0] = '\0';
	if (own && !v->values->callers)
		format_measure(cells[SELF], own, v->key);
	if (v->key != SORT_ALLOCATIONS)
		format_known(cells[ALLOCATIONS], &call->all, SORT_ALLOCATIONS);
}

static void print_cells(const char cells[COLUMNS][UNIT_TEXT], const size_t widths[COLUMNS])
{
	for (int c = 0; c < COLUMNS; c++)
		if (widths[c])
			printf("%*s%*s", (int)widths[c], cells[c], GAP, "");
}

static const char *column_title(const struct view *v, enum column c)
{
	static const char *const names[COLUMNS] = { "", "share", "self", "allocs" };

	return c == MEASURE ? measure_title(v->key) : names[c];
}

static size_t measure_columns(
	const struct view *v, size_t widths[COLUMNS], char titles[COLUMNS][UNIT_TEXT])
{
	size_t sum = 0;

	for (size_t i = 0; i < v->branch_count; i++) {
		char cells[COLUMNS][UNIT_TEXT];

		if (v->branches[i].call == CALL_NONE)
			continue;
		fill_cells(v, &v->tree->calls[v->branches[i].call], cells);
		for (int c = 0; c < COLUMNS; c++)
			if (strlen(cells[c]) > widths[c])
				widths[c] = strlen(cells[c]);
	}
	for (int c = 0; c < COLUMNS; c++) {
		snprintf(titles[c], UNIT_TEXT, "%s", column_title(v, c));
		if (widths[c] && strlen(titles[c]) > widths[c])
			widths[c] = strlen(titles[c]);
		sum += widths[c] ? widths[c] + GAP : 0;
	}
	return sum;
}

/* What figures a narrow terminal has no room for; returns the columns of the others. */
static size_t leave_out(size_t widths[COLUMNS], size_t used, size_t width)
{
	static const enum column spare[] = { ALLOCATIONS, SELF };

	for (size_t i = 0; i < ARRAY_SIZE(spare) && used + NAMES_LEAST > width; i++) {
		used -= widths[spare[i]] ? widths[spare[i]] + GAP : 0;
		widths[spare[i]] = 0;
	}
	return used;
}

static void print_tree(const struct view *v)
{
	size_t widths[COLUMNS] = { 0 }, width = output_width();
	char titles[COLUMNS][UNIT_TEXT];
	size_t used = measure_columns(v, widths, titles);

	if (width != SIZE_MAX)
		width -= used = leave_out(widths, used, width);
	fputs(style(STYLE_FAINT), stdout);
	print_cells(titles, widths);
	printf("%s%s\n", v->values->callers ? "function, then its callers" : "function",
		style(STYLE_PLAIN));
	for (size_t i = 0; i < v->branch_count; i++) {
		char cells[COLUMNS][UNIT_TEXT] = { "" };

		if (v->branches[i].call != CALL_NONE)
			fill_cells(v, &v->tree->calls[v->branches[i].call], cells);
		print_cells(cells, widths);
		print_branch(v, &v->branches[i], width);
	}
}

static const char *why_empty(const struct view *v)
{
	return v->tree->count > 1 ? "no path is large enough: --min-percent 0"
	       : v->tally.count	  ? "no stack matches"
				  : "nothing was allocated";
}

static void print_text(struct view *v)
{
	output_start_long(&v->values->reading, v->values->width);
	summary_print(v->reading.trace, &v->tally.totals, stdout);
	putchar('\n');
	collect_paths(v);
	if (v->branch_count)
		print_tree(v);
	else
		puts(why_empty(v));
	paths_free(v->paths);
}

/* ---- Markdown */

/* In front of a name, where blanks would be lost. */
static void add_branches(struct strbuf *text, const char *prefix)
{
	for (; *prefix; prefix++)
		strbuf_add_bytes(text, *prefix == ' ' ? "\u00a0" : prefix, *prefix == ' ' ? 2 : 1);
}

static void add_branch(const struct view *v, const struct branch *branch, struct table *table)
{
	char cells[COLUMNS][UNIT_TEXT] = { "" };
	const struct call *call = NULL;
	struct strbuf name = { 0 }, location = { 0 };

	add_branches(&name, branch->prefix);
	if (branch->call != CALL_NONE) {
		call = &v->tree->calls[branch->call];
		fill_cells(v, call, cells);
		add_location(v, call, &location);
	}
	strbuf_add(&name, call ? call->function : branch->note);
	strbuf_add(&name, call && call->recursive ? " (recursive)" : "");
	table_row(table);
	for (int c = 0; c < COLUMNS; c++)
		table_cell(table, cells[c]);
	table_cell(table, strbuf_text(&name));
	table_cell(table, strbuf_text(&location));
	strbuf_release(&name);
	strbuf_release(&location);
}

static void print_markdown(struct view *v)
{
	struct table *table = table_new();

	for (int c = 0; c < COLUMNS; c++)
		table_column(table, column_title(v, c), ALIGN_RIGHT);
	table_column(
		table, v->values->callers ? "function, then its callers" : "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_column(table, "where", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	collect_paths(v);
	for (size_t i = 0; i < v->branch_count; i++)
		add_branch(v, &v->branches[i], table);
	summary_markdown(v->reading.trace, &v->tally.totals);
	putchar('\n');
	table_markdown(table, stdout);
	if (!v->branch_count)
		puts(why_empty(v));
	table_free(table);
	paths_free(v->paths);
}

/* ---- for machines */

static void call_json(const struct view *v, uint32_t index, struct json *j)
{
	const struct call *call = &v->tree->calls[index];

	json_object(j, NULL, true);
	json_unsigned(j, "id", index);
	json_known(j, "parent", call->parent);
	json_text(j, "function", call->function);
	json_text(j, "file", call->file);
	json_known(j, "line", call->line);
	json_text(j, "module", call->module);
	offset_json("offset", call->offset != 0, call->offset, j);
	json_bool(j, "recursive", call->recursive);
	added_json(&call->all, j);
	json_object(j, "own", true);
	added_json(&call->own, j);
	json_close(j);
	json_close(j);
}

static void start_json(const struct view *v, struct json *j)
{
	json_start(j, stdout);
	json_object(j, NULL, false);
	summary_json(v->reading.trace, &v->tally.totals, j);
	json_text(j, "sort", sort_key_names[v->key]);
}

static void finish_json(const struct view *v, struct json *j)
{
	reading_json(&v->reading, j);
	json_close(j);
	json_finish(j);
}

static void print_json(const struct view *v)
{
	struct json j;

	start_json(v, &j);
	json_text(&j, "direction", v->values->callers ? "callers" : "callees");
	json_array(&j, "calls", v->branch_count == 0);
	for (size_t i = 0; i < v->branch_count; i++)
		if (v->branches[i].call != CALL_NONE)
			call_json(v, v->branches[i].call, &j);
	json_close(&j);
	finish_json(v, &j);
}

/* The root, which isn't shown, gives the titles. */
static void print_csv(const struct view *v)
{
	struct json j;

	json_start_csv(&j, stdout);
	call_json(v, 0, &j);
	for (size_t i = 0; i < v->branch_count; i++)
		if (v->branches[i].call != CALL_NONE)
			call_json(v, v->branches[i].call, &j);
}

static void show_tree(struct view *v)
{
	struct calltree_options how = {
		.callers = v->values->callers,
		.lines = v->values->lines,
		.whole_stacks = v->values->reading.no_wrappers,
		.key = v->key,
		.least = (int64_t)(v->percent / 100 * (double)whole(v)),
	};

	v->tree = calltree_new(&v->tally, v->reading.resolver, &how, v->filter);
	calltree_sort(v->tree, v->key);
	add_children(v, 0, "", 0);
	if (v->values->json)
		print_json(v);
	else if (v->values->csv)
		print_csv(v);
	else if (v->values->markdown)
		print_markdown(v);
	else
		print_text(v);
	for (size_t i = 0; i < v->branch_count; i++) {
		free(v->branches[i].prefix);
		free(v->branches[i].note);
	}
	free(v->branches);
	calltree_free(v->tree);
}

/* ---- one function between others */

static int show_peek(struct view *v)
{
	struct peek_options how = {
		.pattern = v->values->peek,
		.key = v->key,
		.percent = v->percent,
		.json = v->values->json,
		.width = v->values->width,
		.reading = &v->values->reading,
	};

	return peek_show(&v->reading, &v->tally.totals, &how);
}

/* ---- the command */

static int check_format(const struct values *v)
{
	if (v->peek && (v->csv || v->markdown))
		return error("tree: --peek is no table: --%s is not available",
			v->csv ? "csv" : "markdown");
	return check_one_format("tree", v->json, v->csv, v->markdown);
}

static int check_percent(struct view *v)
{
	const char *text = v->values->min_percent;
	char *end;

	v->percent = v->values->json || v->values->csv ? 0 : PERCENT_DEFAULT;
	if (!text)
		return EXIT_OK;
	v->percent = strtod(text, &end);
	if (end == text || (*end && strcmp(end, "%") != 0) ||
		!(v->percent >= 0 && v->percent <= 100))
		return error("tree: '--min-percent %s' is not a percentage", text);
	return EXIT_OK;
}

static int run(const void *values, int argc, char **argv)
{
	struct view v = { .values = values, .key = SORT_AT_PEAK_BYTES };
	int status = sort_option_sums("tree", v.values->sort, &v.key);
	char why[512];

	if (status == EXIT_OK)
		status = check_format(v.values);
	if (status == EXIT_OK)
		status = check_percent(&v);
	if (status == EXIT_OK && v.values->peek && names_trace(v.values->peek))
		status = error(
			"tree: --peek requires a function, but '%s' is a trace", v.values->peek);
	if (status != EXIT_OK)
		return status;
	v.filter = filter_new(&v.values->match, &v.values->exclude, why, sizeof(why));
	if (!v.filter)
		return error("tree: %s", why);
	status = reading_open(&v.reading, &v.values->reading, argv[0]);
	if (status == EXIT_OK &&
		sort_option_settle(v.values->sort, v.reading.trace, &v.key) != EXIT_OK) {
		status = EXIT_ERROR;
		reading_close(&v.reading);
	}
	if (status == EXIT_OK) {
		tally_init(&v.tally, v.reading.trace);
		if (v.values->peek)
			status = show_peek(&v);
		else
			show_tree(&v);
		reading_warn(&v.reading);
		tally_release(&v.tally);
		reading_close(&v.reading);
	}
	filter_free(v.filter);
	return status;
}

const struct command cmd_tree = {
	.name = "tree",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "show the call tree of allocations",
	.details = "Top-down, each function is shown below its caller with everything that was "
		   "allocated below it; 'self' is what its own lines allocated. A chain of calls "
		   "without branches is not indented. Direct recursion is one node, so nothing is "
		   "counted twice.",
	.options = options,
	.defaults = NULL,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
