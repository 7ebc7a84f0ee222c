/* SPDX-License-Identifier: MIT */
/* peekview.c - prints a function between its callers and its callees. */
#include "analyzer/print/peekview.h"
#include "analyzer/base/fold.h"
#include "analyzer/base/json.h"
#include "analyzer/base/log.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/print/row.h"
#include "analyzer/print/summary.h"
#include "analyzer/views/peek.h"
#include "analyzer/views/selection.h"

#include <stdint.h>
#include <string.h>

#define PEEKS_SHOWN 20	     /* functions of a pattern */
#define NEIGHBOUR_FIGURES 32 /* columns before its name */
#define NAME_LEAST 20	     /* and that the name has at least */

struct peekview {
	struct reading *reading;
	const struct totals *totals;
	const struct peek_options *options;
	struct paths *paths;
};

static int64_t sort_measure_of(const struct peekview *v, const struct measures *m)
{
	return sort_measure(m, v->options->key);
}

static void function_name(const struct annotation *a, size_t function, struct strbuf *text)
{
	const struct annotated *f;

	strbuf_clear(text);
	if (function == PEEK_NOBODY) {
		strbuf_add(text, "[outermost]");
		return;
	}
	f = annotation_function(a, function);
	strbuf_add_clean(text, f->name);
	if (f->names > 1)
		strbuf_addf(text, " and %zu more", f->names - 1);
}

static void function_where(
	const struct peekview *v, const struct annotation *a, size_t function, struct strbuf *text)
{
	const struct annotated *f =
		function == PEEK_NOBODY ? NULL : annotation_function(a, function);

	strbuf_clear(text);
	if (f && f->file) {
		strbuf_add_clean(text, paths_short(v->paths, f->file));
		strbuf_addf(text, ":%u", f->line);
	} else if (f && f->module && !is_bare_offset(f->name, f->module)) {
		strbuf_add_clean(text, paths_short(v->paths, f->module));
	}
}

static void print_neighbour(const struct peekview *v, const struct measures *m,
	const struct measures *all, const char *name, const char *where, size_t indent)
{
	size_t width = output_width();
	char measure[UNIT_TEXT], share[UNIT_TEXT];
	struct strbuf cut = { 0 };

	if (width != SIZE_MAX)
		width = width > NEIGHBOUR_FIGURES + indent + NAME_LEAST
				? width - NEIGHBOUR_FIGURES - indent
				: NAME_LEAST;
	strbuf_add_call(&cut, name, where, width);
	printf("%10s  %8s  %8llu  %*s%s\n",
		format_measure(measure, sort_measure_of(v, m), v->options->key),
		format_share(
			share, (uint64_t)sort_measure_of(v, m), (uint64_t)sort_measure_of(v, all)),
		(unsigned long long)m->allocations, (int)indent, "", strbuf_text(&cut));
	strbuf_release(&cut);
}

static void print_neighbours(const struct peekview *v, const struct annotation *a,
	const struct neighbour *items, size_t count, const struct measures *all)
{
	struct measures rest = { 0 };
	struct strbuf name = { 0 }, where = { 0 };
	size_t left_out = 0;

	for (size_t i = 0; i < count; i++) {
		if ((double)sort_measure_of(v, &items[i].m) <
				v->options->percent / 100 * (double)sort_measure_of(v, all) &&
			i > 0) {
			measures_add(&rest, &items[i].m);
			left_out++;
			continue;
		}
		function_name(a, items[i].function, &name);
		function_where(v, a, items[i].function, &where);
		print_neighbour(v, &items[i].m, all, strbuf_text(&name), strbuf_text(&where), 4);
	}
	if (left_out) {
		strbuf_clear(&name);
		strbuf_addf(&name, "%zu more", left_out);
		print_neighbour(v, &rest, all, name.text, "", 4);
	}
	strbuf_release(&name);
	strbuf_release(&where);
}

static void print_peek(const struct peekview *v, const struct annotation *a, size_t function,
	const struct peek *peek)
{
	struct strbuf name = { 0 }, where = { 0 };
	char share[UNIT_TEXT];

	printf("%s%10s  %8s  %8s%s\n", style(STYLE_FAINT), measure_title(v->options->key), "share",
		"allocs", style(STYLE_PLAIN));
	print_neighbours(v, a, peek->callers, peek->caller_count, &peek->all);
	function_name(a, function, &name);
	function_where(v, a, function, &where);
	fputs(style(STYLE_BOLD), stdout);
	print_neighbour(v, &peek->all, &peek->all, strbuf_text(&name), strbuf_text(&where), 0);
	fputs(style(STYLE_PLAIN), stdout);
	if (peek->self.allocations || peek->self.current_bytes)
		print_neighbour(v, &peek->self, &peek->all, "[itself]", "", 4);
	print_neighbours(v, a, peek->callees, peek->callee_count, &peek->all);
	printf("%s%s of the program's total", style(STYLE_FAINT),
		format_share(share, (uint64_t)sort_measure_of(v, &peek->all),
			(uint64_t)sort_measure_of(v, &v->totals->all)));
	if (peek->recursion > 1)
		printf("; recursion (up to %u calls on one stack) is counted once",
			peek->recursion);
	printf("%s\n", style(STYLE_PLAIN));
	strbuf_release(&name);
	strbuf_release(&where);
}

static void neighbours_json(const struct annotation *a, const char *key,
	const struct neighbour *items, size_t count, struct json *j)
{
	json_array(j, key, count == 0);
	for (size_t i = 0; i < count; i++) {
		const struct annotated *f = items[i].function == PEEK_NOBODY
						    ? NULL
						    : annotation_function(a, items[i].function);

		json_object(j, NULL, true);
		json_text(j, "function", f ? f->name : NULL);
		json_text(j, "file", f ? f->file : NULL);
		json_text(j, "module", f ? f->module : NULL);
		added_json(&items[i].m, j);
		json_close(j);
	}
	json_close(j);
}

static void peek_json(
	const struct annotation *a, size_t function, const struct peek *peek, struct json *j)
{
	const struct annotated *f = annotation_function(a, function);

	json_object(j, NULL, false);
	json_text(j, "function", f->name);
	json_text(j, "file", f->file);
	json_known(j, "line", f->line);
	json_text(j, "module", f->module);
	json_unsigned(j, "recursion", peek->recursion);
	added_json(&peek->all, j);
	json_object(j, "own", true);
	added_json(&peek->self, j);
	json_close(j);
	neighbours_json(a, "callers", peek->callers, peek->caller_count, j);
	neighbours_json(a, "callees", peek->callees, peek->callee_count, j);
	json_close(j);
}

static void peek_paths(struct peekview *v, const struct annotation *a)
{
	v->paths = paths_new();
	for (size_t i = 0; i < annotation_count(a); i++) {
		paths_add(v->paths, annotation_function(a, i)->file);
		paths_add(v->paths, annotation_function(a, i)->module);
	}
}

static void show_peeks(struct peekview *v, const struct annotation *a, const struct selection *s)
{
	size_t count = s->count < PEEKS_SHOWN ? s->count : PEEKS_SHOWN;
	struct json j;

	peek_paths(v, a);
	if (v->options->json) {
		json_start(&j, stdout);
		json_object(&j, NULL, false);
		summary_json(v->reading->trace, v->totals, &j);
		json_text(&j, "sort", sort_key_names[v->options->key]);
		json_array(&j, "functions", false);
	} else {
		output_start_long(v->options->reading, v->options->width);
	}
	for (size_t i = 0; i < count; i++) {
		struct peek peek = peek_function(
			a, v->reading->trace, v->reading->resolver, s->items[i], v->options->key);

		if (v->options->json)
			peek_json(a, s->items[i], &peek, &j);
		else
			print_peek(v, a, s->items[i], &peek);
		if (!v->options->json && i + 1 < count)
			putchar('\n');
		peek_release(&peek);
	}
	if (v->options->json) {
		json_close(&j);
		reading_json(v->reading, &j);
		json_close(&j);
		json_finish(&j);
	} else if (s->count > count) {
		printf("\n%zu more functions match\n", s->count - count);
	}
	paths_free(v->paths);
}

int peek_show(
	struct reading *reading, const struct totals *totals, const struct peek_options *options)
{
	struct peekview v = { reading, totals, options, NULL };
	struct annotation *a = annotation_new(reading->trace, reading->resolver);
	char *pattern = (char *)options->pattern;
	struct selection s;
	int status;

	s = select_matching(a, options->key, &pattern, 1, &status);
	if (status == EXIT_OK)
		show_peeks(&v, a, &s);
	selection_release(&s);
	annotation_free(a);
	return status;
}
