/* SPDX-License-Identifier: MIT */
/* test_units.c - sizes and times as people read and write them. */
#include "analyzer/base/array.h"
#include "unit.h"

#include "analyzer/base/units.h"

static void expect_bytes(int64_t bytes, const char *expected)
{
	char text[UNIT_TEXT];

	ck_assert_str_eq(format_bytes(text, bytes), expected);
}

START_TEST(bytes_have_three_digits_that_count)
{
	expect_bytes(0, "0 B");
	expect_bytes(1, "1 B");
	expect_bytes(1023, "1023 B");
	expect_bytes(1024, "1.00 KiB");
	expect_bytes(1536, "1.50 KiB");
	expect_bytes(10234, "9.99 KiB");
	expect_bytes(10235, "10.0 KiB");
	expect_bytes(102349, "100 KiB");
	expect_bytes(1 << 20, "1.00 MiB");
	expect_bytes((1 << 20) - 1, "1.00 MiB");
	expect_bytes((1 << 20) - 600, "1023 KiB");
	expect_bytes(INT64_MAX, "8.00 EiB");
}
END_TEST

START_TEST(bytes_may_be_negative)
{
	expect_bytes(-1, "-1 B");
	expect_bytes(-2048, "-2.00 KiB");
	expect_bytes(INT64_MIN, "-8.00 EiB");
}
END_TEST

START_TEST(durations_pick_their_unit)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0 us" },
		{ 1500, "2 us" },
		{ 999000, "999 us" },
		{ 1000000, "1 ms" },
		{ 999400000, "999 ms" },
		{ 1000000000, "1 s" },
		{ 12340000000, "12.3 s" },
		{ 59949999999, "59.9 s" },
		{ 60000000000, "1 min 00 s" },
		{ 184000000000, "3 min 04 s" },
		{ 3600000000000, "1 h 00 min" },
		{ UINT64_MAX, "5124095 h 34 min" },
	};
	char text[UNIT_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_str_eq(format_duration(text, cases[i].ns), cases[i].text);
}
END_TEST

START_TEST(shares_of_nothing_are_empty)
{
	char text[UNIT_TEXT];

	ck_assert_str_eq(format_share(text, 1, 0), "");
	ck_assert_str_eq(format_share(text, 1, 3), "33.3 %");
	ck_assert_str_eq(format_share(text, 3, 3), "100.0 %");
	ck_assert(percent_of(5, 0) == 0.0);
}
END_TEST

START_TEST(sizes_are_read_exactly)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "18446744073709551615", UINT64_MAX },
		{ "64KiB", 65536 },
		{ "64k", 65536 },
		{ "64KB", 65536 },
		{ "2 MiB", 2 << 20 },
		{ "1.5M", 3 << 19 },
		{ "1g", 1 << 30 },
		{ "15E", 15ull << 60 },
		{ "7 B", 7 },
	};
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(parse_size(cases[i].text, &bytes), "%s", cases[i].text);
		ck_assert_uint_eq(bytes, cases[i].bytes);
	}
}
END_TEST

START_TEST(what_is_no_size_is_refused)
{
	static const char *const cases[] = { "", "K", "-1", "1x", "1KiBx", "1.2.3", "16E", "16.0E",
		"18446744073709551616", "1 2", "." };
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(!parse_size(cases[i], &bytes), "%s", cases[i]);
}
END_TEST

UNIT_SUITE("units", bytes_have_three_digits_that_count, bytes_may_be_negative,
	durations_pick_their_unit, shares_of_nothing_are_empty, sizes_are_read_exactly,
	what_is_no_size_is_refused)
