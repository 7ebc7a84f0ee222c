/* SPDX-License-Identifier: MIT */
/* page.c - puts the page together: what it is, and the data in it. */
#include "analyzer/html/page.h"
#include "analyzer/html/page_data.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/reading.h"
#include "analyzer/html_files.h"

#include <stdlib.h>

/* ---- what is lost, by site */

static void add_leak(struct page_data *d, const struct leak *leak)
{
	if (leak->kind != LEAK_LOST && leak->kind != LEAK_INDIRECT)
		return;
	for (size_t i = 0; i < leak->stack_count; i++)
		d->lost[leak->stacks[i].site] += leak->stacks[i].own.bytes;
}

static void find_leaks(struct page_data *d)
{
	struct leaks_options by_line = { LEAKS_BY_LINE, 0 };

	suppressions_add_builtin(&d->suppressions);
	d->leaks = leaks_new(d->trace, d->resolver, &d->suppressions, &by_line);
	d->lost = mem_zalloc((size_t)d->trace->site_count + 1, sizeof(*d->lost));
	for (size_t i = 0; i < d->leaks->count; i++)
		add_leak(d, &d->leaks->items[i]);
}

/* ---- the members */

static void write_program(struct page_data *d)
{
	struct strbuf text = { 0 };
	struct json *j = &d->json;

	json_unsigned(j, "version", 1);
	json_text(j, "mtracer", MTRACER_VERSION);
	summary_json(d->trace, &d->tally.totals, j);
	summary_command(d->trace, 0, &text);
	json_text(j, "command", strbuf_text(&text));
	strbuf_clear(&text);
	summary_states(d->trace, &text);
	json_text(j, "state", strbuf_text(&text));
	strbuf_release(&text);
}

static void write_module(struct page_data *d, const struct mt_module *m)
{
	char build_id[2 * sizeof(m->build_id) + 1] = "";

	for (size_t i = 0; i < m->build_id_size && i < sizeof(m->build_id); i++)
		snprintf(build_id + 2 * i, 3, "%02x", m->build_id[i]);
	json_unsigned(&d->json, NULL, page_text(d, trace_string(d->trace, m->path)));
	json_text(&d->json, NULL, build_id[0] ? build_id : NULL);
}

static void write_modules(struct page_data *d)
{
	json_array(&d->json, "modules", true);
	for (uint32_t i = 1; i < d->trace->module_count; i++)
		write_module(d, &d->trace->modules[i]);
	json_close(&d->json);
}

static void write_names(struct page_data *d)
{
	struct json *j = &d->json;

	page_text(d, NULL);
	json_array(j, "frames", true);
	for (size_t i = 0; i < d->frame_count; i++) {
		json_unsigned(j, NULL, d->frames[i].function);
		json_unsigned(j, NULL, d->frames[i].file);
		json_unsigned(j, NULL, d->frames[i].line);
		json_unsigned(j, NULL, d->frames[i].module);
	}
	json_close(j);
	json_array(j, "texts", true);
	for (size_t i = 0; i < d->text_count; i++)
		json_text(j, NULL, d->texts[i]);
	json_close(j);
}

static void write_data(struct page_data *d, FILE *out)
{
	json_start_script(&d->json, out);
	json_object(&d->json, NULL, true);
	write_program(d);
	write_modules(d);
	page_write_tree(d);
	page_write_rows(d);
	page_write_leaks(d);
	page_write_source(d);
	page_write_diff(d);
	reading_json(d->page->reading, &d->json);
	write_names(d);
	json_close(&d->json);
}

/* ---- the whole */

static void release(struct page_data *d)
{
	stacks_free(d->stacks);
	leaks_free(d->leaks);
	suppressions_release(&d->suppressions);
	tally_release(&d->tally);
	hashmap_release(&d->text_index);
	hashmap_release(&d->frame_index);
	free(d->texts);
	free(d->frames);
	free(d->lost);
}

void page_write(const struct page *page, FILE *out)
{
	struct page_data d = {
		.page = page, .trace = page->reading->trace, .resolver = page->reading->resolver
	};
	struct exporter e = { .trace = d.trace, .tally = &d.tally, .resolver = d.resolver };

	tally_init(&d.tally, d.trace);
	find_leaks(&d);
	d.stacks = stacks_new(&e, STACKS_LINES);
	page_values_add(&d.whole, &d.tally.totals.all,
		d.leaks->found[LEAK_LOST].bytes + d.leaks->found[LEAK_INDIRECT].bytes);
	fputs(page_before, out);
	write_data(&d, out);
	fputs(page_after, out);
	putc('\n', out);
	release(&d);
}
