/* SPDX-License-Identifier: MIT */
/*
 * page_source.c - the source of the functions that have or call for the most, and what each line and
 * all that it calls have.
 */
#include "analyzer/html/page_data.h"
#include "analyzer/html/page.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/symbols/source.h"
#include "analyzer/symbols/span.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/annotation.h"
#include "analyzer/views/reading.h"

#include <stdlib.h>

#define BYTES_KEPT 200000 /* of source text */
#define FUNCTION_LINES 600
#define SHARE_LEAST 0.002
#define FUNCTIONS_KEPT 400

/* ---- which functions */

/* By function, the larger of what it owns and what its calls come to. */
struct shares {
	struct page_data *d;
	struct annotation *a;
	double *own;
	struct page_values *all;
	uint32_t *last_site; /* that was added, plus 1 */
};

static void add_function(struct shares *s, uint32_t frame, size_t symbol, uint32_t site)
{
	size_t index = annotation_at(s->a, frame, symbol);

	if (s->last_site[index] == site + 1)
		return;
	s->last_site[index] = site + 1;
	page_values_add(&s->all[index], &s->d->tally.sites[site], s->d->lost[site]);
}

static void add_site(struct shares *s, uint32_t site)
{
	const struct trace *t = s->d->trace;
	uint32_t node = t->site_info[site].node;

	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		uint32_t frame = t->nodes[node].frame;
		const struct resolved_frame *resolved = resolve(s->d->resolver, frame);

		for (size_t i = 0; i < resolved->count; i++)
			add_function(s, frame, i, site);
	}
}

/* Functions that own memory come before those that only lead there. */
static double function_share(const struct shares *s, size_t index)
{
	const struct annotated *f = annotation_function(s->a, index);
	struct page_values own = { { 0 } };
	double all = page_share(s->d, &s->all[index]), share;

	if (!f->file)
		return 0;
	page_values_add(&own, &f->owned, 0);
	share = page_share(s->d, &own);
	if (share >= SHARE_LEAST)
		return 1 + share;
	return all >= SHARE_LEAST ? all : 0;
}

static double *function_shares(struct page_data *d, struct annotation *a)
{
	size_t count = annotation_count(a);
	struct shares s = { d, a, mem_zalloc(count + 1, sizeof(*s.own)),
		mem_zalloc(count + 1, sizeof(*s.all)),
		mem_zalloc(count + 1, sizeof(*s.last_site)) };

	for (uint32_t i = 0; i < d->tally.count; i++)
		add_site(&s, d->tally.order[i]);
	for (size_t i = 0; i < count; i++)
		s.own[i] = function_share(&s, i);
	free(s.all);
	free(s.last_site);
	return s.own;
}

static void choose(struct page_data *d, struct annotation *a)
{
	double *shares = function_shares(d, a);
	size_t kept;
	uint32_t *order = page_largest(shares, annotation_count(a), FUNCTIONS_KEPT, &kept);

	for (size_t i = 0; i < kept; i++)
		if (shares[order[i]] > 0)
			annotation_choose(a, order[i]);
	free(order);
	free(shares);
}

/* ---- text */

/* Its lines as one text; how many. */
static uint32_t add_lines(
	struct page_data *d, struct strbuf *text, const char *file, struct extent span)
{
	struct source_cache *sources = d->page->reading->sources;
	uint32_t line = span.first;

	for (; line <= span.last && line - span.first < FUNCTION_LINES; line++) {
		const char *one = source_line(sources, file, line);

		if (!one)
			break;
		if (line > span.first)
			strbuf_add(text, "\n");
		strbuf_add(text, one);
	}
	return line - span.first;
}

/* A line of the function's own file: its number and what it and all that it calls have. */
static void write_line(struct page_data *d, const struct annotated_line *line)
{
	struct page_values values = { { 0 } };
	struct json *j = &d->json;

	page_values_add(&values, &line->all.m, 0);
	json_unsigned(j, NULL, line->line);
	page_values_write(&values, j);
}

static void write_figures(struct page_data *d, const struct annotated *f)
{
	json_array(&d->json, "lines", true);
	for (size_t i = 0; i < f->line_count; i++)
		if (f->lines[i]->file == f->file && f->lines[i]->line)
			write_line(d, f->lines[i]);
	json_close(&d->json);
}

/* Returns the bytes of text. */
static size_t write_function(
	struct page_data *d, const struct annotation *a, const struct annotated *f)
{
	struct source_cache *sources = d->page->reading->sources;
	uint32_t before = annotation_next_function(a, f->file, f->extent.last);
	struct extent span = function_span(sources, f->file, f->extent, before);
	struct strbuf text = { 0 };
	struct json *j = &d->json;
	size_t size;

	json_object(j, NULL, true);
	json_unsigned(j, "function", page_text(d, f->name));
	json_unsigned(j, "file", page_text(d, f->file));
	json_unsigned(j, "module", page_text(d, f->module));
	json_unsigned(j, "first", span.first);
	json_unsigned(j, "count", add_lines(d, &text, f->file, span));
	json_text(j, "text", strbuf_text(&text));
	json_bool(j, "other", source_is_other(sources, f->file, d->resolver, f->module));
	write_figures(d, f);
	json_close(j);
	size = text.size;
	strbuf_release(&text);
	return size;
}

/* The largest first, until there is no room for more. */
static size_t write_functions(struct page_data *d, const struct annotation *a)
{
	struct source_cache *sources = d->page->reading->sources;
	size_t left_out = 0, bytes = 0;

	for (size_t i = 0; i < annotation_count(a); i++) {
		const struct annotated *f = annotation_function(a, i);

		if (!f->chosen || source_find(sources, f->file)->problem)
			continue;
		if (bytes < BYTES_KEPT)
			bytes += write_function(d, a, f);
		else
			left_out++;
	}
	return left_out;
}

void page_write_source(struct page_data *d)
{
	struct annotation *a;
	size_t left_out;

	if (d->page->no_source)
		return;
	a = annotation_new(d->trace, d->resolver);
	choose(d, a);
	annotation_fill(a);
	json_array(&d->json, "sources", true);
	left_out = write_functions(d, a);
	json_close(&d->json);
	json_unsigned(&d->json, "sources_left_out", left_out);
	annotation_free(a);
}
