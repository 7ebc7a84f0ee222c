/* SPDX-License-Identifier: MIT */
/* page_diff.c - what changed since another trace: the rows of `diff` by what they had at the peak. */
#include "analyzer/html/page_data.h"
#include "analyzer/html/page.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/print/summary.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/diff.h"

#define ROWS_KEPT 500

static void write_location(struct page_data *d, const struct diff_location *p)
{
	struct json *j = &d->json;

	json_array(j, NULL, true);
	if (p->known) {
		json_unsigned(j, NULL, page_text(d, p->function));
		json_unsigned(j, NULL, page_text(d, p->file));
		json_unsigned(j, NULL, p->line);
		json_unsigned(j, NULL, page_text(d, p->module));
	}
	json_close(j);
}

/* Both sides of each measure. */
static void write_values(struct json *j, const struct diff_value values[DIFF_MEASURES])
{
	json_array(j, NULL, true);
	for (int i = 0; i < (int)DIFF_MEASURES; i++) {
		json_signed(j, NULL, values[i].old);
		json_signed(j, NULL, values[i].new);
	}
	json_close(j);
}

static void write_row(struct page_data *d, const struct diff_row *row)
{
	json_array(&d->json, NULL, true);
	write_location(d, &row->locations[DIFF_OLD]);
	write_location(d, &row->locations[DIFF_NEW]);
	write_values(&d->json, row->values);
	json_close(&d->json);
}

static void write_rows(struct page_data *d, const struct diff *diff)
{
	struct json *j = &d->json;
	size_t count = diff->row_count < ROWS_KEPT ? diff->row_count : ROWS_KEPT;

	json_unsigned(j, "row_count", diff->row_count);
	json_array(j, "rows", true);
	for (size_t i = 0; i < count; i++)
		write_row(d, &diff->rows[i]);
	json_close(j);
}

void page_write_diff(struct page_data *d)
{
	const struct diff *diff = d->page->diff;
	struct json *j = &d->json;
	struct strbuf command = { 0 };

	if (!diff)
		return;
	summary_command(diff->traces[0].reading.trace, 0, &command);
	json_object(j, "diff", true);
	json_text(j, "path", diff->traces[0].reading.trace->path);
	json_text(j, "command", strbuf_text(&command));
	json_bool(j, "peaks_comparable", !diff->reset);
	json_array(j, "measures", true);
	for (int i = 0; i < (int)DIFF_MEASURES; i++)
		json_text(j, NULL, sort_key_names[i]);
	json_close(j);
	json_array(j, "totals", true);
	write_values(j, diff->totals);
	json_close(j);
	write_rows(d, diff);
	json_close(j);
	strbuf_release(&command);
}
