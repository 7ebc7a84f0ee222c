/* SPDX-License-Identifier: MIT */
/* cmd_timeline.c - mtracer timeline: what was live when, and which lines had it. */
#include "analyzer/base/csv.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/outfile.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/print/timeline_plot.h"
#include "analyzer/print/timeline_svg.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/timeline.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 10
#define WIDTH_DEFAULT 80 /* without a terminal */
#define SPARKLINE 24
#define SNAPSHOTS_SHOWN 20
#define ROWS_AT_A_TIME 32

struct values {
	uint64_t limit;
	bool json, csv, markdown, ascii;
	const char *svg;
	struct reading_options reading;
};

static const struct values defaults = { .limit = ROWS_SHOWN };

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_NUMBER, "limit", 'n', "N", "show at most N lines below the plot; 0 for all (default: 10)",
		offsetof(struct values, limit), NULL },
	{ OPTION_TEXT, "svg", 0, "FILE", "write a picture to FILE instead: stacked areas by line,\n"
		"resident memory, marks ('-' for standard output)",
		offsetof(struct values, svg), NULL },
	{ OPTION_FLAG, "csv", 0, NULL, "print the points as comma-separated values",
		offsetof(struct values, csv), NULL },
	{ OPTION_FLAG, "markdown", 0, NULL, "print Markdown, for example for a pull request",
		offsetof(struct values, markdown), NULL },
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON",
		offsetof(struct values, json), NULL },
	{ OPTION_FLAG, "ascii", 0, NULL, "draw with ASCII characters (default where the locale is\n"
		"not UTF-8)",
		offsetof(struct values, ascii), NULL },
	WIDE_OPTION_ROW(struct values, reading),
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct view {
	const struct values *values;
	struct reading reading;
	struct profile *profile;
	struct timeline *timeline;
	bool ascii;
	size_t shown; /* rows */
};

static const char *const kind_names[] = { NULL, "regular", "peak", "mark", "end" };

static uint64_t peak_ns(const struct view *v)
{
	return v->reading.trace->header.peak_ns;
}

static const char *kind_name(const struct timeline_point *p)
{
	return kind_names[p->p.kind <= MT_POINT_END ? p->p.kind : MT_POINT_REGULAR];
}

/* ---- for machines */

static void part_json(const struct view *v, const struct timeline_part *part, struct json *j)
{
	const struct row *row = v->timeline->rows[part->row].row;

	json_object(j, NULL, true);
	json_text(j, "file", row->file);
	json_known(j, "line", row->line);
	json_text(j, "function", row->function);
	json_text(j, "module", row->module);
	json_unsigned(j, "current_bytes", part->bytes);
	json_close(j);
}

static void rss_json(const struct timeline_point *point, struct json *j)
{
	static const char *const names[] = { "rss_bytes", "rss_anonymous_bytes", "rss_file_bytes" };
	uint64_t values[] = { timeline_rss(point), point->p.rss_anonymous, point->p.rss_file };

	for (int i = 0; i < 3; i++) {
		if (values[0])
			json_unsigned(j, names[i], values[i]);
		else
			json_null(j, names[i]);
	}
}

static void point_json(const struct view *v, const struct timeline_point *point, struct json *j)
{
	json_object(j, NULL, false);
	json_unsigned(j, "ns", point->p.ns);
	json_text(j, "kind", kind_name(point));
	json_unsigned(j, "current_bytes", point->p.live_bytes);
	json_unsigned(j, "current_blocks", point->p.live_blocks);
	json_unsigned(j, "allocated_bytes", point->p.allocated_bytes);
	json_unsigned(j, "allocations", point->p.allocations);
	rss_json(point, j);
	json_unsigned(j, "threads", point->p.threads);
	json_array(j, "rows", point->part_count == 0);
	for (size_t i = 0; i < point->part_count; i++)
		part_json(v, &v->timeline->parts[point->first_part + i], j);
	json_close(j);
	json_close(j);
}

static void peak_json(const struct view *v, struct json *j)
{
	const struct mt_header *h = &v->reading.trace->header;

	json_object(j, "peak", false);
	json_known(j, "ns", h->peak_ns);
	json_unsigned(j, "bytes", v->profile->totals.all.peak_bytes);
	if (h->peak_site && h->peak_lane < v->reading.trace->lane_count)
		json_text(j, "thread", v->reading.trace->lanes[h->peak_lane].name);
	else
		json_null(j, "thread");
	if (h->peak_site)
		stack_json(v->reading.trace, v->reading.resolver, h->peak_site, j);
	else
		json_null(j, "stack");
	json_close(j);
}

static void marks_json(const struct view *v, struct json *j)
{
	json_array(j, "marks", false);
	for (size_t i = 0; i < v->timeline->count; i++) {
		const struct timeline_point *point = &v->timeline->points[i];

		if (point->p.kind != MT_POINT_MARK)
			continue;
		json_object(j, NULL, true);
		json_unsigned(j, "ns", point->p.ns);
		json_text(j, "label", point->label);
		json_close(j);
	}
	json_close(j);
	json_unsigned(j, "lost_marks", v->reading.trace->header.lost_marks);
}

static void snapshots_json(const struct trace *t, struct json *j)
{
	json_array(j, "snapshots", t->snapshot_count == 0);
	for (uint32_t i = 0; i < t->snapshot_count; i++) {
		json_object(j, NULL, true);
		json_unsigned(j, "ns", t->snapshots[i].ns);
		json_text(j, "label", trace_string(t, t->snapshots[i].label));
		json_close(j);
	}
	json_close(j);
	json_unsigned(j, "lost_snapshots", t->header.lost_snapshots);
}

static void print_json(const struct view *v)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	summary_json(v->reading.trace, &v->profile->totals, &j);
	json_array(&j, "points", false);
	for (size_t i = 0; i < v->timeline->count; i++)
		point_json(v, &v->timeline->points[i], &j);
	json_close(&j);
	peak_json(v, &j);
	marks_json(v, &j);
	snapshots_json(v->reading.trace, &j);
	reading_json(&v->reading, &j);
	json_close(&j);
	json_finish(&j);
}

static void print_number(uint64_t number, bool known)
{
	putchar(',');
	if (known)
		printf("%llu", (unsigned long long)number);
}

static void print_csv(const struct view *v)
{
	puts("ns,kind,label,current_bytes,current_blocks,allocated_bytes,allocations,rss_bytes,"
	     "rss_anonymous_bytes,rss_file_bytes,threads");
	for (size_t i = 0; i < v->timeline->count; i++) {
		const struct timeline_point *point = &v->timeline->points[i];
		const struct mt_point *p = &point->p;
		bool rss = timeline_rss(point) != 0;

		printf("%llu,%s,", (unsigned long long)p->ns, kind_name(point));
		if (p->kind == MT_POINT_MARK)
			csv_field(point->label, stdout);
		print_number(p->live_bytes, true);
		print_number(p->live_blocks, true);
		print_number(p->allocated_bytes, true);
		print_number(p->allocations, true);
		print_number(timeline_rss(point), rss);
		print_number(p->rss_anonymous, rss);
		print_number(p->rss_file, rss);
		print_number(p->threads, true);
		putchar('\n');
	}
}

/* ---- human-readable */

static struct paths *collect_paths(const struct view *v)
{
	struct paths *paths = paths_new();

	for (size_t i = 0; i < v->shown; i++) {
		paths_add(paths, v->timeline->rows[i].row->file);
		paths_add(paths, v->timeline->rows[i].row->module);
	}
	return paths;
}

static void print_plot(const struct view *v)
{
	size_t width = output_width();
	struct plot_options o = {
		.ascii = v->ascii,
		.width = width == SIZE_MAX ? WIDTH_DEFAULT : width,
		.peak_ns = peak_ns(v),
	};
	struct strbuf text = { 0 };

	plot_add(&text, v->timeline, &o);
	fputs(strbuf_text(&text), stdout);
	strbuf_release(&text);
}

static const char *sign(const struct view *v, const char *unicode, const char *ascii)
{
	return v->ascii ? ascii : unicode;
}

static void print_peak(const struct view *v)
{
	const struct trace *t = v->reading.trace;
	const struct mt_header *h = &t->header;
	struct frame_function fn = { 0 };
	char bytes[UNIT_TEXT], time[UNIT_TEXT];

	if (!h->peak_ns)
		return;
	printf("%s  peak %s at %s", sign(v, "▲", "^"),
		format_bytes(bytes, (int64_t)v->profile->totals.all.peak_bytes),
		format_duration(time, h->peak_ns));
	if (h->peak_site)
		fn = resolve_owner(v->reading.resolver, t->site_info[h->peak_site].node);
	if (fn.symbol) {
		struct paths *paths = paths_new();
		struct strbuf text = { 0 };

		paths_add(paths, fn.symbol->file);
		frame_function_text(&fn, paths, 30, &text);
		printf(", by %s", strbuf_text(&text));
		strbuf_release(&text);
		paths_free(paths);
	}
	putchar('\n');
}

static void print_marks(const struct view *v)
{
	char bytes[UNIT_TEXT], time[UNIT_TEXT];
	size_t number = 0;

	for (size_t i = 0; i < v->timeline->count; i++) {
		const struct timeline_point *point = &v->timeline->points[i];
		struct strbuf label = { 0 };

		if (point->p.kind != MT_POINT_MARK || number++ >= PLOT_MARKS)
			continue;
		strbuf_add_clean(&label, point->label);
		printf("%c  %s at %s: %s\n", plot_mark(number - 1), strbuf_text(&label),
			format_duration(time, point->p.ns),
			format_bytes(bytes, (int64_t)point->p.live_bytes));
		strbuf_release(&label);
	}
	if (number > PLOT_MARKS)
		printf("*  %zu more marks: --json or --csv\n", number - PLOT_MARKS);
	if (v->reading.trace->header.lost_marks)
		printf("%llu later marks had no room: raise MTRACE_TIMELINE\n",
			(unsigned long long)v->reading.trace->header.lost_marks);
}

/* Below the marks: one can be read by its name. */
static void print_snapshots(const struct trace *t)
{
	char bytes[UNIT_TEXT], time[UNIT_TEXT];

	for (uint32_t i = 0; i < t->snapshot_count && i < SNAPSHOTS_SHOWN; i++) {
		struct strbuf label = { 0 };

		strbuf_add_clean(&label, trace_string(t, t->snapshots[i].label));
		printf("@%s at %s: %s\n", strbuf_text(&label),
			format_duration(time, t->snapshots[i].ns),
			format_bytes(bytes, (int64_t)t->snapshots[i].live_bytes));
		strbuf_release(&label);
	}
	if (t->snapshot_count > SNAPSHOTS_SHOWN)
		printf("%u more snapshots: mtracer info\n", t->snapshot_count - SNAPSHOTS_SHOWN);
}

static void print_legend(const struct view *v)
{
	const struct timeline *t = v->timeline;
	char bytes[UNIT_TEXT];

	if (!t->rss_most)
		puts("resident memory was not recorded");
	else if (plot_has_rss(t))
		printf("area: heap; line: resident memory, %s at most\n",
			format_bytes(bytes, (int64_t)t->rss_most));
	else
		printf("area: heap; resident memory, %s at most, is not drawn: the heap is too "
		       "small beside it\n",
			format_bytes(bytes, (int64_t)t->rss_most));
}

/* Blanks would be one in Markdown; the pattern of no dots is as wide as a block. */
static void add_sparkline(
	const struct view *v, const uint64_t *values, uint64_t most, struct strbuf *text)
{
	struct strbuf line = { 0 };

	sparkline_add(&line, v->timeline, values, most, SPARKLINE, v->ascii);
	for (const char *c = strbuf_text(&line); *c; c++) {
		if (*c == ' ' && v->values->markdown)
			strbuf_add(text, v->ascii ? "_" : "\u2800");
		else
			strbuf_add_bytes(text, c, 1);
	}
	strbuf_release(&line);
}

static void add_row(const struct view *v, size_t i, const uint64_t *values, struct table *table,
	struct paths *paths)
{
	const struct timeline_row *r = &v->timeline->rows[i];
	struct strbuf text = { 0 };
	char bytes[UNIT_TEXT];

	table_row(table);
	table_cell(table, format_bytes(bytes, (int64_t)r->most));
	table_cell(table, format_bytes(bytes, (int64_t)r->row->m.at_peak_bytes));
	table_cell(table, format_bytes(bytes, r->row->m.current_bytes));
	add_sparkline(v, values, r->most, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	row_location(r->row, BY_LINE, v->reading.trace, paths, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_clear(&text);
	row_function(r->row, &text);
	table_cell(table, strbuf_text(&text));
	strbuf_release(&text);
}

static void print_rows(const struct view *v, void (*print)(const struct table *, FILE *))
{
	uint64_t *series = NULL;
	struct paths *paths = collect_paths(v);
	struct table *table = table_new();

	table_column(table, "most", ALIGN_RIGHT);
	table_column(table, "at peak", ALIGN_RIGHT);
	table_spare(table, 1);
	table_column(table, "current", ALIGN_RIGHT);
	table_spare(table, 2);
	table_column(table, "over time", ALIGN_LEFT);
	table_column(table, "where", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	table_column(table, "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	for (size_t i = 0; i < v->shown; i++) {
		if (i % ROWS_AT_A_TIME == 0) {
			free(series);
			series = timeline_series(v->timeline, i, ROWS_AT_A_TIME);
		}
		add_row(v, i, &series[i % ROWS_AT_A_TIME * v->timeline->count], table, paths);
	}
	print(table, stdout);
	table_free(table);
	paths_free(paths);
	free(series);
}

static void print_curve(const struct view *v)
{
	print_plot(v);
	print_peak(v);
	print_marks(v);
	print_snapshots(v->reading.trace);
	print_legend(v);
}

static void print_text(const struct view *v)
{
	size_t more = v->timeline->row_count - v->shown;

	output_start(&v->values->reading, 0);
	summary_print(v->reading.trace, &v->profile->totals, stdout);
	putchar('\n');
	print_curve(v);
	putchar('\n');
	print_rows(v, table_print);
	if (more)
		printf("%zu more row%s: --limit 0\n", more, more == 1 ? "" : "s");
}

/* The curve as it is in a terminal: in a block of code characters keep their columns. */
static void print_markdown(const struct view *v)
{
	size_t more = v->timeline->row_count - v->shown;

	summary_markdown(v->reading.trace, &v->profile->totals);
	puts("\n```text");
	print_curve(v);
	puts("```\n");
	print_rows(v, table_markdown);
	if (more)
		printf("\n%zu more row%s\n", more, more == 1 ? "" : "s");
}

/* ---- the picture */

/* A file that is something else is never replaced: somebody mistook the operands. */
static bool may_replace(const char *path)
{
	char start[4] = "";
	size_t got = 0;
	FILE *f = fopen(path, "re");

	if (f) {
		got = fread(start, 1, sizeof(start), f);
		fclose(f);
	}
	return !got || (got == sizeof(start) && memcmp(start, "<svg", sizeof(start)) == 0);
}

/* "fill (table.c:42)". The caller frees it. */
static char *name_row(const struct view *v, const struct row *row, struct paths *paths)
{
	struct strbuf where = { 0 }, text = { 0 };

	row_location(row, BY_LINE, v->reading.trace, paths, &where);
	row_function(row, &text);
	if (text.size)
		strbuf_addf(&text, " (%s)", strbuf_text(&where));
	else
		strbuf_add(&text, strbuf_text(&where));
	strbuf_release(&where);
	return text.text ? text.text : mem_strdup("");
}

static void write_picture(const struct view *v, FILE *out)
{
	size_t rows = v->timeline->row_count < SVG_ROWS ? v->timeline->row_count : SVG_ROWS;
	struct paths *paths = collect_paths(v);
	struct strbuf title = { 0 };
	char *names[SVG_ROWS];
	struct svg_options o = {
		.rows = rows, .peak_ns = peak_ns(v), .peak_bytes = v->profile->totals.all.peak_bytes
	};

	for (size_t i = 0; i < rows; i++)
		names[i] = name_row(v, v->timeline->rows[i].row, paths);
	summary_command(v->reading.trace, 100, &title);
	o.names = (const char **)names;
	o.title = strbuf_text(&title);
	timeline_svg(out, v->timeline, &o);
	for (size_t i = 0; i < rows; i++)
		free(names[i]);
	strbuf_release(&title);
	paths_free(paths);
}

static int save_picture(const struct view *v)
{
	const char *path = strcmp(v->values->svg, "-") == 0 ? NULL : v->values->svg;
	struct outfile out;
	int status;

	if (path && !may_replace(path))
		return error(
			"%s: exists and is not an SVG picture of mtracer; not overwritten", path);
	status = outfile_open(&out, path, false);
	if (status != EXIT_OK)
		return status;
	write_picture(v, out.file);
	return outfile_close(&out);
}

/* ---- the command */

static int print(struct view *v)
{
	uint64_t limit = v->values->svg ? SVG_ROWS : v->values->limit;

	v->shown = limit && limit < v->timeline->row_count ? (size_t)limit : v->timeline->row_count;
	v->ascii = v->values->ascii || !locale_is_utf8();
	if (v->values->svg)
		return save_picture(v);
	if (v->values->json)
		print_json(v);
	else if (v->values->csv)
		print_csv(v);
	else if (v->values->markdown)
		print_markdown(v);
	else
		print_text(v);
	return EXIT_OK;
}

static int run(const void *values, int argc, char **argv)
{
	struct view v = { .values = values };
	const char *missing;
	int status;

	if (!!v.values->svg + v.values->json + v.values->csv + v.values->markdown > 1)
		return error("timeline: --svg, --csv, --markdown and --json exclude each other");
	status = reading_open(&v.reading, &v.values->reading, argv[0]);
	if (status != EXIT_OK)
		return status;
	missing = timeline_missing(v.reading.trace);
	if (missing) {
		status = error("%s: %s", v.reading.trace->path, missing);
	} else {
		v.profile = profile_new(v.reading.trace, v.reading.resolver, BY_LINE, false);
		v.timeline = timeline_new(v.reading.trace, v.profile);
		status = print(&v);
		reading_warn(&v.reading);
		timeline_free(v.timeline);
		profile_free(v.profile);
	}
	reading_close(&v.reading);
	return status;
}

const struct command cmd_timeline = {
	.name = "timeline",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "plot memory over time, and the lines behind the curve",
	.details =
		"The curve is drawn from points that the library took: at regular numbers of "
		"allocations, at each new peak that is 1 % higher than the last, and where the "
		"program called mtrace_mark(). With one thread every point is exact. Between two "
		"points the curve stays at the height of the first. The lines below are those "
		"with the most memory at any point; 'over time' has each on a scale of its own.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
