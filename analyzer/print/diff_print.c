/* SPDX-License-Identifier: MIT */
/* diff_print.c - a diff in four forms: text, Markdown, JSON, CSV. */
#include "analyzer/print/diff_print.h"
#include "analyzer/base/array.h"
#include "analyzer/base/json.h"
#include "analyzer/base/markdown.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/units.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND_SHOWN 100 /* bytes */
#define SUB_ITEM "  - "	  /* in front of what a line of Markdown lists */
#define BLAMED 3	  /* rows named for a limit that was exceeded */

static bool total_is_over(const struct diff_view *v)
{
	return diff_is_comparable(v->diff, v->total) &&
	       limit_exceeded(&v->limit_total, &v->diff->totals[v->total]);
}

bool diff_is_over(const struct diff_view *v)
{
	return total_is_over(v) || v->over_count > 0;
}

bool diff_has_no_verdict(const struct diff_view *v)
{
	return (v->limit_total.text && !diff_is_comparable(v->diff, v->total)) ||
	       (v->limit_site.text && !diff_is_comparable(v->diff, v->site));
}

/* ---- numbers */

static const char *const measure_words[DIFF_MEASURES] = {
	[SORT_CURRENT_BYTES] = "at the end",
	[SORT_CURRENT_BLOCKS] = "blocks at the end",
	[SORT_PEAK_BYTES] = "peak",
	[SORT_AT_PEAK_BYTES] = "at peak",
	[SORT_ALLOCATED_BYTES] = "allocated",
	[SORT_ALLOCATIONS] = "allocations",
	[SORT_TEMPORARY] = "temporary allocations",
};

/* Of moments that are none's end. */
static const char *measure_word(const struct diff *d, enum sort_key measure)
{
	if (d->moments && measure == SORT_CURRENT_BYTES)
		return "current";
	if (d->moments && measure == SORT_CURRENT_BLOCKS)
		return "blocks";
	return measure_words[measure];
}

static bool is_count(enum sort_key measure)
{
	return measure == SORT_CURRENT_BLOCKS || measure == SORT_ALLOCATIONS ||
	       measure == SORT_TEMPORARY;
}

static const char *format(char text[UNIT_TEXT], enum sort_key measure, int64_t value)
{
	return is_count(measure) ? format_count(text, value) : format_bytes(text, value);
}

/* With its sign, also in front of what grew. */
static const char *format_delta(char text[UNIT_TEXT + 1], enum sort_key measure, int64_t delta)
{
	text[0] = '+';
	format(delta > 0 ? text + 1 : text, measure, delta);
	return text;
}

/* "+18.7 %", "new", "gone"; "" where there is nothing to compare with. */
static const char *format_change(
	char text[UNIT_TEXT], const struct diff_value *v, enum diff_status status)
{
	double percent;

	if (status == DIFF_APPEARED || status == DIFF_GONE)
		return diff_status_names[status];
	text[0] = '\0';
	if (diff_percent(v, &percent) && percent > -0.05 && percent < 0.05)
		snprintf(text, UNIT_TEXT, v->delta ? "< 0.1 %%" : "0 %%");
	else if (diff_percent(v, &percent))
		snprintf(text, UNIT_TEXT, percent < 1e6 ? "%+.1f %%" : "%+.3g %%", percent);
	return text;
}

/* "peak 41.2 MiB -> 48.9 MiB, +7.70 MiB (+18.7 %)" */
static void add_value(struct strbuf *text, const struct diff_view *view, enum sort_key measure)
{
	const struct diff_value *v = &view->diff->totals[measure];
	char old[UNIT_TEXT], new[UNIT_TEXT], delta[UNIT_TEXT + 1], change[UNIT_TEXT];

	strbuf_addf(text, "%s %s", measure_word(view->diff, measure), format(old, measure, v->old));
	if (!v->delta) {
		strbuf_add(text, ", unchanged");
		return;
	}
	strbuf_addf(text, " → %s, %s", format(new, measure, v->new),
		format_delta(delta, measure, v->delta));
	if (*format_change(change, v, DIFF_GREW))
		strbuf_addf(text, " (%s)", change);
	if (!v->changed)
		strbuf_addf(text, ": within the spread of %s", format(old, measure, v->spread));
	else if (v->spread)
		strbuf_addf(text, ", spread %s", format(old, measure, v->spread));
}

/* ---- locations */

static void add_location(struct strbuf *text, const struct diff_location *p, struct paths *paths)
{
	if (p->shown) {
		strbuf_add(text, paths_short(paths, p->shown));
		if (p->line)
			strbuf_addf(text, ":%u", p->line);
	} else if (p->has_offset) {
		strbuf_addf(text, "%s+%#llx",
			p->module ? paths_short(paths, p->module) : "[generated code]",
			(unsigned long long)p->offset);
	} else if (p->module) {
		strbuf_add(text, paths_short(paths, p->module));
	} else if (!p->function) {
		strbuf_add(text, "[unknown]");
	}
}

static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

/* Only names make a location another; lines move. */
static bool file_renamed(const struct diff_row *row)
{
	const struct diff_location *before = &row->locations[DIFF_OLD],
				   *after = &row->locations[DIFF_NEW];

	return before->known && after->known && before->file && after->file &&
	       differ(path_base(before->file), path_base(after->file));
}

static bool function_renamed(const struct diff_row *row)
{
	const struct diff_location *before = &row->locations[DIFF_OLD],
				   *after = &row->locations[DIFF_NEW];

	return before->known && after->known && !before->has_offset && !after->has_offset &&
	       differ(before->function, after->function);
}

static void add_where(struct strbuf *text, const struct diff_row *row, struct paths *paths)
{
	add_location(text, diff_location(row), paths);
	if (!file_renamed(row))
		return;
	strbuf_add(text, " (was ");
	add_location(text, &row->locations[DIFF_OLD], paths);
	strbuf_add(text, ")");
}

static void add_function(struct strbuf *text, const struct diff_row *row)
{
	const struct diff_location *p = diff_location(row);

	if (p->function && !strstr(p->function, "+0x"))
		strbuf_add(text, p->function);
	if (function_renamed(row))
		strbuf_addf(text, " (was %s)", row->locations[DIFF_OLD].function);
	if (row->kind == MT_KIND_MMAP)
		strbuf_addf(text, "%s[mmap]", text->size ? " " : "");
}

/* Of the sides one by one: the same file in two build directories is one name. */
static struct paths *collect_paths(const struct diff_view *v)
{
	struct paths *paths = paths_new();

	for (size_t i = 0; i < v->row_count; i++) {
		const struct diff_row *row = v->rows[i];

		paths_add(paths, diff_location(row)->shown);
		paths_add(paths, diff_location(row)->module);
		if (file_renamed(row))
			paths_add(paths, row->locations[DIFF_OLD].shown);
		if (v->diff->by == BY_SITE && i < v->shown) {
			const struct reading *r = &v->diff->traces[row->trace].reading;

			stack_walk(r->trace, r->resolver, row->site, add_frame_paths, paths);
		}
	}
	return paths;
}

/* ---- limits */

struct blame {
	const char *text;
	struct diff_row *const *rows;
	size_t count;
	enum sort_key measure;
};

/* "parse  app.c:15 +7.60 MiB" */
static void add_blamed(
	struct strbuf *text, const struct diff_row *row, enum sort_key measure, struct paths *paths)
{
	char delta[UNIT_TEXT + 1];

	strbuf_addf(text, "%s ", format_delta(delta, measure, row->values[measure].delta));
	add_where(text, row, paths);
	strbuf_add(text, " ");
	add_function(text, row);
}

static void add_limit(struct strbuf *text, const struct limit *limit, const char *what, bool over)
{
	strbuf_addf(text, "%s: %s grew by %s than %s", over ? "FAILED" : "passed", what,
		over ? "more" : "no more", limit->text);
}

/* The rows that grew most, for a total that grew too much. */
static size_t worst_rows(
	const struct diff_view *v, enum sort_key measure, const struct diff_row *worst[BLAMED])
{
	size_t count = 0;

	for (size_t i = 0; i < v->diff->row_count; i++) {
		const struct diff_row *row = &v->diff->rows[i];
		size_t at = count < BLAMED ? count : BLAMED;

		if (row->values[measure].delta <= 0 || !row->values[measure].changed)
			continue;
		while (at && worst[at - 1]->values[measure].delta < row->values[measure].delta)
			at--;
		if (at == BLAMED)
			continue;
		for (size_t k = count < BLAMED ? count : BLAMED - 1; k > at; k--)
			worst[k] = worst[k - 1];
		worst[at] = row;
		count += count < BLAMED;
	}
	return count;
}

/* A total's peak is made of what rows held at that moment. */
static enum sort_key row_measure(enum sort_key total)
{
	return total == SORT_PEAK_BYTES ? SORT_AT_PEAK_BYTES : total;
}

static void add_resets(struct strbuf *text, const struct diff *d, const char *end)
{
	if (d->reset)
		strbuf_addf(text,
			"note: peaks are not comparable: the program reset them "
			"(mtrace_reset_peak) in %s, not in %s%s",
			d->reset->path, d->whole->path, end);
}

/* The lines about limits, each ended by `end`, those about rows begun by `bullet`. */
static void add_limits(struct strbuf *text, const struct diff_view *v, struct paths *paths,
	const char *bullet, const char *end)
{
	const struct diff_row *worst[BLAMED];

	add_resets(text, v->diff, end);
	if (diff_has_no_verdict(v)) {
		strbuf_addf(text, "no verdict on %s%s",
			sort_key_names[v->limit_total.text ? v->total : v->site], end);
		return;
	}
	if (v->limit_total.text) {
		bool over = total_is_over(v);
		size_t count = over ? worst_rows(v, row_measure(v->total), worst) : 0;

		add_limit(text, &v->limit_total, sort_key_names[v->total], over);
		strbuf_add(text, end);
		for (size_t i = 0; i < count; i++) {
			strbuf_add(text, bullet);
			add_blamed(text, worst[i], row_measure(v->total), paths);
			strbuf_add(text, end);
		}
	}
	if (!v->limit_site.text)
		return;
	if (v->over_count)
		strbuf_addf(text, "FAILED: %zu row%s grew in %s by more than %s%s", v->over_count,
			v->over_count == 1 ? "" : "s", sort_key_names[v->site], v->limit_site.text,
			end);
	else
		strbuf_addf(text, "passed: no row grew in %s by more than %s%s",
			sort_key_names[v->site], v->limit_site.text, end);
	for (size_t i = 0; i < v->over_count; i++) {
		strbuf_add(text, bullet);
		add_blamed(text, v->over[i], v->site, paths);
		strbuf_add(text, end);
	}
}

/* ---- text */

static void print_clean(const char *text)
{
	struct strbuf clean = { 0 };

	strbuf_add_clean(&clean, text);
	fputs(strbuf_text(&clean), stdout);
	strbuf_release(&clean);
}

static void print_lines(struct strbuf *text)
{
	char *next = text->text;
	char *line;

	while (next && *next && (line = strsep(&next, "\n"))) {
		print_clean(line);
		putchar('\n');
	}
}

static void print_side(const struct diff_view *v, enum diff_side side, const char *word)
{
	for (size_t i = 0; i < v->diff->trace_count; i++) {
		const struct diff_trace *t = &v->diff->traces[i];
		struct strbuf command = { 0 };

		if (t->side != side)
			continue;
		summary_command(t->reading.trace, COMMAND_SHOWN, &command);
		printf("%s%s  ", style(STYLE_FAINT), word);
		print_clean(t->reading.trace->path);
		printf("  %s", strbuf_text(&command));
		if (t->reading.trace->state == TRACE_RUNNING &&
			t->reading.trace->moment.kind == MOMENT_END)
			fputs("  (still running)", stdout);
		printf("%s\n", style(STYLE_PLAIN));
		strbuf_release(&command);
	}
}

static void print_head(const struct diff_view *v, struct paths *paths)
{
	static const enum sort_key others[] = { SORT_CURRENT_BYTES, SORT_ALLOCATED_BYTES,
		SORT_ALLOCATIONS };
	struct strbuf text = { 0 }, limits = { 0 };

	add_value(&text, v, v->total);
	printf("%s%s%s\n", style(STYLE_BOLD), text.text, style(STYLE_PLAIN));
	add_limits(&limits, v, paths, "    ", "\n");
	fputs(style(diff_is_over(v) || v->diff->reset ? STYLE_WARNING : STYLE_PLAIN), stdout);
	print_lines(&limits);
	fputs(style(STYLE_PLAIN), stdout);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		strbuf_clear(&text);
		add_value(&text, v, others[i]);
		if (others[i] != v->total && !v->diff->totals[others[i]].unknown)
			puts(text.text);
	}
	strbuf_release(&text);
	strbuf_release(&limits);
	print_side(v, DIFF_OLD, "old");
	print_side(v, DIFF_NEW, "new");
}

static void add_row(const struct diff_view *v, struct table *table, const struct diff_row *row,
	struct paths *paths)
{
	const struct diff_value *value = &row->values[v->sort];
	char text[UNIT_TEXT + 1];
	struct strbuf name = { 0 };

	table_row(table);
	table_cell(table, format(text, v->sort, value->old));
	table_cell(table, format(text, v->sort, value->new));
	table_cell(table, format_delta(text, v->sort, value->delta));
	table_cell(table, format_change(text, value, diff_status(row, v->sort)));
	table_cell(table, value->spread ? format(text, v->sort, value->spread) : "");
	add_where(&name, row, paths);
	table_cell(table, strbuf_text(&name));
	strbuf_clear(&name);
	add_function(&name, row);
	table_cell(table, strbuf_text(&name));
	strbuf_release(&name);
	if (v->diff->by == BY_SITE) {
		const struct reading *r = &v->diff->traces[row->trace].reading;

		note_stack(table, r->trace, r->resolver, row->site, paths);
	}
}

static void print_table(
	const struct diff_view *v, struct paths *paths, void (*print)(const struct table *, FILE *))
{
	static const char *const numbers[] = { "old", "new", "delta", "change", "spread" };
	static const unsigned spare[] = { 2, 0, 0, 0, 1 };
	struct table *table = table_new();

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		table_column(table, numbers[i], ALIGN_RIGHT);
		table_spare(table, spare[i]);
	}
	table_column(table, "where", ALIGN_LEFT);
	table_shorten(table, strbuf_add_path);
	table_column(table, "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_notes_at(table, 5);
	for (size_t i = 0; i < v->shown; i++)
		add_row(v, table, v->rows[i], paths);
	print(table, stdout);
	table_free(table);
}

/* Rows are sorted by their change: those without any come last, and aren't shown. */
static size_t with_change(const struct diff_view *v)
{
	size_t count = 0;

	while (count < v->row_count && v->rows[count]->values[v->sort].changed)
		count++;
	return count;
}

static const struct mt_module *find_module(const struct trace *t, const char *path)
{
	for (uint32_t i = 1; i < t->module_count; i++) {
		if (strcmp(path_base(trace_string(t, t->modules[i].path)), path_base(path)) == 0)
			return &t->modules[i];
	}
	return NULL;
}

static bool is_one_build(const struct diff *d, const char *path)
{
	const struct mt_module *old = find_module(d->traces[0].reading.trace, path);
	const struct mt_module *new =
		find_module(d->traces[d->trace_count - 1].reading.trace, path);

	if (!old || !new || old->build_id_size == 0 || old->build_id_size != new->build_id_size)
		return false;
	return memcmp(old->build_id, new->build_id, old->build_id_size) == 0;
}

/* What the rows of code without names are worth. */
static void print_nameless(const struct diff_view *v)
{
	for (size_t i = 0; i < v->shown && !v->diff->one_process; i++) {
		const struct diff_location *p = diff_location(v->rows[i]);

		if (!p->has_offset || !p->module || !p->function || !strstr(p->function, "+0x") ||
			is_one_build(v->diff, p->module))
			continue;
		fputs("no function names are known for ", stdout);
		print_clean(path_base(p->module));
		puts(", so its code is matched by call structure and allocations");
		return;
	}
}

static void print_rest(const struct diff_view *v)
{
	size_t changed = with_change(v), other = v->row_count - changed;

	print_nameless(v);

	if (v->shown < changed)
		printf("%zu more row%s: --limit 0\n", changed - v->shown,
			changed - v->shown == 1 ? "" : "s");
	if (other)
		printf("%zu row%s differ%s in other measures only: --sort allocated_bytes, "
		       "--sort %s, ...\n",
			other, other == 1 ? "" : "s", other == 1 ? "s" : "",
			sort_key_names[v->sort == SORT_CURRENT_BYTES ? SORT_AT_PEAK_BYTES
								     : SORT_CURRENT_BYTES]);
}

void diff_print_text(const struct diff_view *v)
{
	struct paths *paths = collect_paths(v);

	print_head(v, paths);
	putchar('\n');
	if (v->shown) {
		printf("%s, by %s:\n", measure_word(v->diff, v->sort),
			profile_by_names[v->diff->by]);
		print_table(v, paths, table_print);
	} else if (v->row_count) {
		printf("no row differs in %s\n", sort_key_names[v->sort]);
	} else {
		puts(v->diff->row_count ? "no differing row matches" : "no row differs");
	}
	print_rest(v);
	paths_free(paths);
}

/* ---- Markdown */

/* Lines of add_limits(), whose lists have their marks in front already. */
static void print_items(const struct strbuf *text)
{
	const char *line = strbuf_text(text);
	struct strbuf one = { 0 };

	for (; *line; line += strspn(line, "\n")) {
		const char *mark = *line == ' ' ? SUB_ITEM : "- ";
		size_t size;

		line += *line == ' ' ? strlen(SUB_ITEM) : 0;
		size = strcspn(line, "\n");
		strbuf_clear(&one);
		strbuf_add_bytes(&one, line, size);
		fputs(mark, stdout);
		markdown_text(strbuf_text(&one), stdout);
		putchar('\n');
		line += size;
	}
	strbuf_release(&one);
}

void diff_print_markdown(const struct diff_view *v)
{
	static const enum sort_key measures[] = { SORT_PEAK_BYTES, SORT_CURRENT_BYTES,
		SORT_ALLOCATED_BYTES, SORT_ALLOCATIONS };
	struct paths *paths = collect_paths(v);
	struct strbuf text = { 0 };

	add_value(&text, v, v->total);
	printf("### Memory: %s\n\n", text.text);
	strbuf_clear(&text);
	add_limits(&text, v, paths, SUB_ITEM, "\n");
	print_items(&text);
	if (text.size)
		putchar('\n');
	puts("| | old | new | delta | change |\n| --- | ---: | ---: | ---: | ---: |");
	for (size_t i = 0; i < ARRAY_SIZE(measures); i++) {
		const struct diff_value *t = &v->diff->totals[measures[i]];
		char old[UNIT_TEXT], new[UNIT_TEXT], delta[UNIT_TEXT + 1], change[UNIT_TEXT];

		if (t->unknown)
			continue;
		printf("| %s | %s | %s | %s | %s |\n", measure_word(v->diff, measures[i]),
			format(old, measures[i], t->old), format(new, measures[i], t->new),
			format_delta(delta, measures[i], t->delta),
			t->changed ? format_change(change, t, DIFF_GREW) : "");
	}
	if (v->shown)
		printf("\n%s, by %s:\n\n", measure_word(v->diff, v->sort),
			profile_by_names[v->diff->by]);
	print_table(v, paths, table_markdown);
	if (v->shown < with_change(v))
		printf("\n%zu more rows.\n", with_change(v) - v->shown);
	strbuf_release(&text);
	paths_free(paths);
}

/* ---- JSON */

static void value_json(const struct diff_value *v, const char *name, struct json *j)
{
	static const char *const parts[] = { "old", "new", "delta", "spread" };
	const int64_t values[] = { v->old, v->new, v->delta, v->spread };
	char key[64];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(key, sizeof(key), "%s_%s", parts[i], name);
		if (v->unknown)
			json_null(j, key);
		else
			json_signed(j, key, values[i]);
	}
}

static void values_json(const struct diff_value *values, struct json *j)
{
	for (int i = 0; i < (int)DIFF_MEASURES; i++)
		value_json(&values[i], sort_key_names[i], j);
}

static void side_json(
	const struct diff_view *v, enum diff_side side, const char *name, struct json *j)
{
	json_array(j, name, false);
	for (size_t i = 0; i < v->diff->trace_count; i++) {
		const struct diff_trace *t = &v->diff->traces[i];

		if (t->side != side)
			continue;
		json_object(j, NULL, false);
		summary_json(t->reading.trace, &t->tally.totals, j);
		json_close(j);
	}
	json_close(j);
}

static void location_json(const struct diff_location *p, const char *prefix, struct json *j)
{
	static const char *const names[] = { "file", "function", "module" };
	const char *const texts[] = { p->file, p->function, p->module };
	char key[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(key, sizeof(key), "%s%s", prefix, names[i]);
		json_text(j, key, texts[i]);
		if (i)
			continue;
		snprintf(key, sizeof(key), "%sline", prefix);
		json_known(j, key, p->line);
	}
	snprintf(key, sizeof(key), "%soffset", prefix);
	offset_json(key, p->has_offset, p->offset, j);
}

static void row_json_diff(const struct diff_view *v, const struct diff_row *row, struct json *j)
{
	location_json(diff_location(row), "", j);
	location_json(&row->locations[DIFF_OLD], "old_", j);
	json_text(j, "kind", row->kind == MT_KIND_MMAP ? "mmap" : "heap");
	json_text(j, "status", diff_status_names[diff_status(row, v->sort)]);
	json_bool(j, "renamed", function_renamed(row) || file_renamed(row));
	json_bool(j, "peak_is_exact", row->peak_is_exact);
	values_json(row->values, j);
	if (v->diff->by == BY_SITE) {
		const struct reading *r = &v->diff->traces[row->trace].reading;

		stack_json(r->trace, r->resolver, row->site, j);
	}
}

/* null: no verdict. */
static void exceeded_json(bool judged, bool over, struct json *j)
{
	if (judged)
		json_bool(j, "exceeded", over);
	else
		json_null(j, "exceeded");
}

static void limit_json(const struct diff_view *v, const struct limit *limit, const char *scope,
	enum sort_key measure, bool over, struct json *j)
{
	if (!limit->text)
		return;
	json_object(j, NULL, true);
	json_text(j, "scope", scope);
	json_text(j, "measure", sort_key_names[measure]);
	json_text(j, "limit", limit->text);
	exceeded_json(diff_is_comparable(v->diff, measure), over, j);
	json_close(j);
}

static void rows_json(const struct diff_view *v, const char *name, struct diff_row **rows,
	size_t count, struct json *j)
{
	json_array(j, name, count == 0);
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL, true);
		row_json_diff(v, rows[i], j);
		json_close(j);
	}
	json_close(j);
}

void diff_print_json(const struct diff_view *v)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL, false);
	side_json(v, DIFF_OLD, "old", &j);
	side_json(v, DIFF_NEW, "new", &j);
	json_object(&j, "totals", false);
	values_json(v->diff->totals, &j);
	json_close(&j);
	json_text(&j, "by", profile_by_names[v->diff->by]);
	json_text(&j, "sort", sort_key_names[v->sort]);
	json_array(&j, "limits", !v->limit_total.text && !v->limit_site.text);
	limit_json(v, &v->limit_total, "total", v->total, total_is_over(v), &j);
	limit_json(v, &v->limit_site, "row", v->site, v->over_count > 0, &j);
	json_close(&j);
	exceeded_json(!diff_has_no_verdict(v), diff_is_over(v), &j);
	json_bool(&j, "peaks_comparable", !v->diff->reset);
	rows_json(v, "exceeding", v->over, v->over_count, &j);
	json_unsigned(&j, "row_count", v->row_count);
	rows_json(v, "rows", v->rows, v->shown, &j);
	json_close(&j);
	json_finish(&j);
}

/* ---- CSV */

static void print_line(const struct diff_view *v, const struct diff_row *row, struct json *j)
{
	json_object(j, NULL, true);
	row_json_diff(v, row, j);
	json_close(j);
}

void diff_print_csv(const struct diff_view *v)
{
	static const struct diff_row titles;
	struct json j;

	json_start_csv(&j, stdout);
	print_line(v, &titles, &j);
	for (size_t i = 0; i < v->shown; i++)
		print_line(v, v->rows[i], &j);
}
