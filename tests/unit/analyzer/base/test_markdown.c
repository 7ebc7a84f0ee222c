/* SPDX-License-Identifier: MIT */
/* test_markdown.c - names of any bytes are shown as they are. */
#include "unit.h"

#include <string.h>

#include "analyzer/base/markdown.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/table.h"

static void expect(void (*write)(const char *, FILE *), const char *text, const char *expected)
{
	char *written;
	size_t size;
	FILE *f = open_memstream(&written, &size);

	write(text, f);
	fclose(f);
	ck_assert_str_eq(written, expected);
	free(written);
}

START_TEST(prose)
{
	expect(markdown_text, "12.5 MiB \xc2\xb1\x34 %, at peak (+1.0 %)",
		"12.5 MiB \xc2\xb1\x34 %, at peak (+1.0 %)");
	expect(markdown_text, "<b> *a* _b_ `c` [d] | ~e~ &amp; \\ $f$ #1",
		"\\<b\\> \\*a\\* \\_b\\_ \\`c\\` \\[d\\] \\| \\~e\\~ \\&amp; \\\\ \\$f\\$ \\#1");
	expect(markdown_text, "a\nb\xe2\x80\xae", "a?b?");
	expect(markdown_text, "_a_ a_b a__b a_", "\\_a\\_ a_b a\\_\\_b a\\_");
	expect(markdown_lines, "a_b\n\nc\n", "a_b\n\nc\n");
}
END_TEST

/* In a span of code all but backticks stand for themselves, in a table also bars. */
START_TEST(names)
{
	expect(markdown_code, "", "");
	expect(markdown_code, "std::vector<int*>::at_", "`std::vector<int*>::at_`");
	expect(markdown_code, "</script><img onerror=1>", "`</script><img onerror=1>`");
	expect(markdown_code, "operator|", "<code>operator&#124;</code>");
	expect(markdown_code, "a`<b>\\|", "<code>a&#96;&#60;b&#62;&#92;&#124;</code>");
	expect(markdown_code, "a\nb\x1b\xe2\x81\xa6", "`a?b??`");
}
END_TEST

START_TEST(tables)
{
	struct table *table = table_new();
	char *written;
	size_t size;
	FILE *f = open_memstream(&written, &size);

	table_column(table, "bytes", ALIGN_RIGHT);
	table_column(table, "empty", ALIGN_RIGHT);
	table_column(table, "function", ALIGN_LEFT);
	table_shorten(table, strbuf_add_name);
	table_notes_at(table, 1);
	table_row(table);
	table_cell(table, "1 B");
	table_cell(table, "");
	table_cell(table, "f|g");
	table_note_call(table, "   by ", "main", "a.c:1");
	table_note(table, "   return 1 || 2;");
	table_markdown(table, f);
	fclose(f);
	ck_assert_str_eq(written, "| bytes | function |\n"
				  "| ---: | --- |\n"
				  "| 1 B | <code>f&#124;g</code><br>by `main` `a.c:1`"
				  "<br><code>return 1 &#124;&#124; 2;</code> |\n");
	table_free(table);
	free(written);
}
END_TEST

UNIT_SUITE("markdown", prose, names, tables)
