/* SPDX-License-Identifier: MIT */
/* test_fold.c - lines that are longer than a terminal is wide. */
#include "unit.h"

#include "analyzer/base/fold.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

static void check(const char *line, size_t width, const char *expected)
{
	struct strbuf s = { 0 };

	fold_line(&s, line, width);
	ck_assert_str_eq(strbuf_text(&s), expected);
	strbuf_release(&s);
}

START_TEST(lines_break_between_words)
{
	check("", 10, "");
	check("short", 10, "short");
	check("exactly 10", 10, "exactly 10");
	check("one two three four", 10, "one two\n  three\n  four");
	check("  one two three", 10, "  one two\n    three");
	check("one two   ", 7, "one two");
}
END_TEST

START_TEST(long_words_break_where_the_line_is_full)
{
	check("0123456789abcdef", 10, "0123456789\n  abcdef");
	check("a 0123456789abcdef", 10, "a\n  01234567\n  89abcdef");
	check("          indented", 10, "  indented");
	check("größer größer größer", 8, "größer\n  größer\n  größer");
}
END_TEST

START_TEST(escapes_have_no_width)
{
	check("\033[1mexactly 10\033[0m", 10, "\033[1mexactly 10\033[0m");
	check("\033[1mone two\033[0m three", 10, "\033[1mone two\033[0m\n  three");
}
END_TEST

START_TEST(a_stream_is_folded_and_put_back)
{
	char text[100];
	FILE *before = stdout;
	int ends[2];
	ssize_t size;

	ck_assert_int_eq(pipe(ends), 0);
	fold_start(&stdout, ends[1], SIZE_MAX);
	ck_assert_ptr_eq(stdout, before);
	ck_assert_uint_eq(output_width(), SIZE_MAX);
	fold_start(&stdout, ends[1], 1); /* nobody reads so little */
	ck_assert_uint_eq(output_width(), WIDTH_LEAST);
	printf("one two three");
	printf(" four five six seven eight nine ten\nfive\n");
	fold_finish();
	ck_assert_ptr_eq(stdout, before);
	ck_assert_uint_eq(output_width(), SIZE_MAX);
	size = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(size, 0);
	text[size] = '\0';
	ck_assert_str_eq(text, "one two three four five six seven eight\n  nine ten\nfive\n");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

UNIT_SUITE("fold", lines_break_between_words, long_words_break_where_the_line_is_full,
	escapes_have_no_width, a_stream_is_folded_and_put_back)
