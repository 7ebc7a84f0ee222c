/* SPDX-License-Identifier: MIT */
/* test_width.c - how wide texts are, and where they are cut. */
#include "unit.h"

#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

#include <stdint.h>

static void check_cut(const char *text, size_t width, const char *expected)
{
	struct strbuf s = { 0 };

	strbuf_add_cut(&s, text, width);
	ck_assert_str_eq(strbuf_text(&s), expected);
	ck_assert_uint_le(text_width(strbuf_text(&s)), width);
	strbuf_release(&s);
}

START_TEST(characters_have_widths)
{
	ck_assert_uint_eq(text_width(""), 0);
	ck_assert_uint_eq(text_width("plain text"), 10);
	ck_assert_uint_eq(text_width("Größe"), 5);
	ck_assert_uint_eq(text_width("e\u0301"), 1); /* combining */
	ck_assert_uint_eq(text_width("漢字"), 4);
	ck_assert_uint_eq(text_width("😀"), 2);
}
END_TEST

START_TEST(cuts_leave_whole_characters)
{
	check_cut("short", 5, "short");
	check_cut("too long", 5, "too …");
	check_cut("too long", 1, "…");
	check_cut("too long", 0, "");
	check_cut("", 0, "");
	check_cut("漢字漢字", 8, "漢字漢字");
	check_cut("漢字漢字", 7, "漢字漢…");
	check_cut("漢字漢字", 6, "漢字…");
	check_cut("漢字漢字", 2, "…");
	check_cut("Größenwahn", 5, "Größ…");
	check_cut("any", SIZE_MAX, "any");
}
END_TEST

UNIT_SUITE("width", characters_have_widths, cuts_leave_whole_characters)
