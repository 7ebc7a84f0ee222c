/* SPDX-License-Identifier: MIT */
/* csv.c - fields of comma-separated values. json.c has the lines. */
#include "analyzer/base/csv.h"
#include "analyzer/base/strbuf.h"

#include <stdbool.h>
#include <string.h>

/* Names come from the traced program, and a spreadsheet runs what begins so. */
static bool is_formula(const char *text)
{
	return *text && strchr("=+-@", *text);
}

void csv_field(const char *text, FILE *out)
{
	struct strbuf clean = { 0 };

	if (!text)
		return;
	strbuf_add_clean(&clean, text);
	fputs(is_formula(strbuf_text(&clean)) ? "\"'" : "\"", out);
	for (const char *c = strbuf_text(&clean); *c; c++) {
		if (*c == '"')
			putc('"', out);
		putc(*c, out);
	}
	putc('"', out);
	strbuf_release(&clean);
}
