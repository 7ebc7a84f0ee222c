/* SPDX-License-Identifier: MIT */
/* test_json.c - JSON is valid for any bytes, and laid out as promised; and so are comma-separated
 * values. */
#include "unit.h"

#include <string.h>

#include "analyzer/base/json.h"
#include "analyzer/base/strbuf.h"

/* What `write` writes, as text. Caller frees. */
static char *written(void (*write)(struct json *))
{
	struct json j;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	json_start(&j, f);
	write(&j);
	fclose(f);
	return text;
}

static void expect(void (*write)(struct json *), const char *expected)
{
	char *text = written(write);

	ck_assert_str_eq(text, expected);
	free(text);
}

static void numbers(struct json *j)
{
	json_object(j, NULL, true);
	json_unsigned(j, "u", UINT64_MAX);
	json_signed(j, "s", INT64_MIN);
	json_real(j, "r", 12.345);
	json_real(j, "inf", 1e308 * 10);
	json_bool(j, "t", true);
	json_null(j, "n");
	json_text(j, "none", NULL);
	json_close(j);
}

START_TEST(values)
{
	expect(numbers, "{\"u\": 18446744073709551615, \"s\": -9223372036854775808, \"r\": 12.35, "
			"\"inf\": null, \"t\": true, \"n\": null, \"none\": null}");
}
END_TEST

static void nested(struct json *j)
{
	json_object(j, NULL, false);
	json_array(j, "rows", false);
	for (unsigned i = 1; i < 3; i++) {
		json_object(j, NULL, true);
		json_unsigned(j, "a", i);
		json_array(j, "in", false); /* inside one line everything is */
		json_unsigned(j, NULL, i);
		json_close(j);
		json_close(j);
	}
	json_close(j);
	json_array(j, "empty", false);
	json_close(j);
	json_close(j);
	json_finish(j);
}

START_TEST(containers)
{
	expect(nested,
		"{\n  \"rows\": [\n    {\"a\": 1, \"in\": [1]},\n    {\"a\": 2, \"in\": [2]}\n"
		"  ],\n  \"empty\": []\n}\n");
}
END_TEST

static void odd_texts(struct json *j)
{
	json_array(j, NULL, true);
	json_text(j, NULL, "q\" b\\ n\n t\t esc\x1b del\x7f");
	json_text(j, NULL, "\xc3\xa4 \xe2\x89\xa4 \xf0\x9f\x98\x80"); /* valid */
	json_text(j, NULL, "\xff\xc3(\xc0\xaf\xed\xa0\x80");	      /* not */
	json_text(j, NULL, "\xf0\x9f\x98");			      /* cut off */
	json_close(j);
}

START_TEST(texts_are_valid_whatever_the_bytes)
{
	expect(odd_texts, "[\"q\\\" b\\\\ n\\n t\\t esc\\u001b del\\u007f\", "
			  "\"\xc3\xa4 \xe2\x89\xa4 \xf0\x9f\x98\x80\", "
			  "\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\", "
			  "\"\\ufffd\\ufffd\\ufffd\"]");
}
END_TEST

START_TEST(texts_for_the_eyes_hold_no_controls)
{
	struct strbuf s = { 0 };

	strbuf_add_clean(&s, "a\tb\x1b[31m\xff\xc2\x9b \xc3\xa4");
	ck_assert_str_eq(strbuf_text(&s), "a       b?[31m?? \xc3\xa4");
	strbuf_release(&s);
	ck_assert_str_eq(strbuf_text(&s), "");
}
END_TEST

START_TEST(texts_for_the_eyes_keep_their_order)
{
	struct strbuf s = { 0 };

	strbuf_add_clean(&s, "a\xe2\x80\xaetxt.exe\xe2\x81\xa9 \xd8\x9c\xe2\x80\x8f\xe2\x80\xa8");
	strbuf_add_clean(
		&s, " \xe2\x80\x90\xe2\x81\xa5\xe2\x80\xaf\xd8\x9b"); /* harmless ones beside */
	ck_assert_str_eq(
		strbuf_text(&s), "a?txt.exe? ??? \xe2\x80\x90\xe2\x81\xa5\xe2\x80\xaf\xd8\x9b");
	strbuf_release(&s);
}
END_TEST

/* ---- comma-separated values */

static void write_line(struct json *j, const char *text, int64_t number)
{
	json_object(j, NULL, true);
	json_text(j, "text", text);
	json_signed(j, "number", number);
	json_null(j, "null");
	json_object(j, "own", true);
	json_bool(j, "yes", true);
	json_real(j, "real", 0.5);
	json_close(j);
	json_close(j);
}

static void expect_csv(const char *text, const char *field)
{
	struct strbuf expected = { 0 };
	struct json j;
	char *lines;
	size_t size;
	FILE *f = open_memstream(&lines, &size);

	json_start_csv(&j, f);
	write_line(&j, NULL, 0);
	write_line(&j, text, INT64_MIN);
	fclose(f);
	strbuf_addf(&expected,
		"text,number,null,own_yes,own_real\n%s,-9223372036854775808,,true,0.50\n", field);
	ck_assert_str_eq(lines, strbuf_text(&expected));
	strbuf_release(&expected);
	free(lines);
}

START_TEST(fields_are_quoted)
{
	expect_csv(NULL, "");
	expect_csv("", "\"\"");
	expect_csv("a, \"b\"\nc\xff", "\"a, \"\"b\"\"?c?\"");
}
END_TEST

START_TEST(names_are_no_formulas)
{
	expect_csv("=1+1", "\"'=1+1\"");
	expect_csv("+a", "\"'+a\"");
	expect_csv("-[NSView init]", "\"'-[NSView init]\"");
	expect_csv("@SUM(A1)", "\"'@SUM(A1)\"");
	expect_csv("a=1", "\"a=1\"");
}
END_TEST

/* Whatever a text holds, what is in a page's script is ASCII, and ends no script. */
START_TEST(texts_in_a_script_are_data)
{
	struct json j;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	json_start_script(&j, f);
	json_object(&j, NULL, false);
	json_text(&j, "</script>", "<!--\xe2\x80\xa8\xe2\x80\xae\xc3\xa9\xf0\x9f\x98\x80\xff\"\\");
	json_array(&j, "a", false);
	json_unsigned(&j, NULL, 1);
	json_null(&j, NULL);
	json_close(&j);
	json_close(&j);
	fclose(f);
	ck_assert_str_eq(text,
		"{\"\\u003c/script>\":\"\\u003c!--\\u2028\\u202e\\u00e9\\ud83d\\ude00\\"
		"ufffd\\\"\\\\\",\"a\":[1,null]}");
	free(text);
}
END_TEST

UNIT_SUITE("json", values, containers, texts_in_a_script_are_data,
	texts_are_valid_whatever_the_bytes, texts_for_the_eyes_hold_no_controls,
	texts_for_the_eyes_keep_their_order, fields_are_quoted, names_are_no_formulas)
