/* SPDX-License-Identifier: MIT */
/* test_xml.c - hostile texts in XML. */
#include "unit.h"

#include "analyzer/base/strbuf.h"
#include "analyzer/base/xml.h"

static void check_visible(const char *text, const char *wanted)
{
	struct strbuf s = { 0 };

	strbuf_add_visible(&s, text);
	ck_assert_str_eq(strbuf_text(&s), wanted);
	strbuf_release(&s);
}

START_TEST(what_cant_be_seen_is_spelled)
{
	check_visible("", "");
	check_visible("std::vector<int>", "std::vector<int>");
	check_visible("größe", "größe");
	check_visible("a\tb\nc\x7f\x01", "a\\u0009b\\u000ac\\u007f\\u0001");
	check_visible("\xe2\x80\xaeturned", "\\u202eturned");
	check_visible("zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero\\u200bwidth\\ufeff");
	check_visible("\xc2\x85\xef\xbf\xbe", "\\u0085\\ufffe");
	check_visible("tag\xf3\xa0\x81\x81", "tag\\ue0041");
}
END_TEST

START_TEST(what_is_no_utf8_is_spelled)
{
	check_visible("latin-\xe9\xff", "latin-\\xe9\\xff");
	check_visible("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
	check_visible("cut\xe2\x80", "cut\\xe2\\x80");
}
END_TEST

START_TEST(markup_is_text)
{
	struct strbuf s = { 0 };

	strbuf_add_xml(&s, "</script><img onerror='x' a=\"y\"> && ]]>");
	ck_assert_str_eq(s.text, "&lt;/script&gt;&lt;img onerror='x' a=&quot;y&quot;&gt; "
				 "&amp;&amp; ]]&gt;");
	strbuf_release(&s);
}
END_TEST

UNIT_SUITE("xml", what_cant_be_seen_is_spelled, what_is_no_utf8_is_spelled, markup_is_text)
