/* SPDX-License-Identifier: MIT */
/* test_shorten.c - what stays of names and paths that don't fit. */
#include "unit.h"

#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/width.h"

typedef void shortener(struct strbuf *s, const char *text, size_t width);

static void check(shortener *shorten, const char *text, size_t width, const char *expected)
{
	struct strbuf s = { 0 };

	shorten(&s, text, width);
	ck_assert_str_eq(strbuf_text(&s), expected);
	ck_assert_uint_le(text_width(strbuf_text(&s)), width);
	strbuf_release(&s);
}

START_TEST(names_lose_their_arguments_first)
{
	static const char push[] =
		"std::vector<std::pair<int, long>, std::allocator<int>>::push_back(int const&)";

	check(strbuf_add_name, push, 100, push);
	check(strbuf_add_name, push, 40, "std::vector<…>::push_back(int const&)");
	check(strbuf_add_name, push, 36, "std::vector<…>::push_back(…)");
	check(strbuf_add_name, push, 25, "…::push_back(…)");
	check(strbuf_add_name, push, 10, "…::push_b…");
	check(strbuf_add_name, "a_function_in_c", 8, "a_funct…");
	check(strbuf_add_name, "a_function_in_c", 1, "…");
	check(strbuf_add_name, "a_function_in_c", 0, "");
}
END_TEST

START_TEST(what_looks_like_a_bracket_stays)
{
	check(strbuf_add_name, "std::ostream& operator<< <char>(std::ostream&, char)", 36,
		"std::ostream& operator<< <…>(…)");
	check(strbuf_add_name, "box<int>::operator->() const", 26, "box<…>::operator->() const");
	check(strbuf_add_name, "(anonymous namespace)::fill(std::string, std::string)", 30,
		"(anonymous namespace)::fill(…)");
	check(strbuf_add_name, "<alloc::vec::Vec<u8> as core::clone::Clone>::clone", 42,
		"…::clone");
	check(strbuf_add_name, "never<closed::by anything at all", 20, "…::by anything at a…");
}
END_TEST

START_TEST(paths_lose_their_middle)
{
	static const char path[] = "source/of/the/program/table.c:12";

	check(strbuf_add_path, path, 32, path);
	check(strbuf_add_path, path, 28, "source/…/program/table.c:12");
	check(strbuf_add_path, path, 20, "source/…/table.c:12");
	check(strbuf_add_path, path, 14, "…/table.c:12");
	check(strbuf_add_path, path, 8, "…le.c:12");
	check(strbuf_add_path, "libsomething.so+0x1234", 10, "…so+0x1234");
	check(strbuf_add_path, "/opt/a/b/c/d.c:1", 14, "/opt/…/c/d.c:1");
}
END_TEST

static void check_call(const char *name, const char *path, size_t width, const char *expected)
{
	struct strbuf s = { 0 };

	strbuf_add_call(&s, name, path, width);
	ck_assert_str_eq(strbuf_text(&s), expected);
	ck_assert_uint_le(text_width(strbuf_text(&s)), width);
	strbuf_release(&s);
}

START_TEST(calls_share_the_room)
{
	check_call("grow", "table.c:12", 40, "grow  table.c:12");
	check_call("grow", "", 40, "grow");
	check_call("", "source/table.c:12", 14, "…/table.c:12");
	check_call("grow", "source/of/the/program/table.c:12", 32, "grow  source/…/table.c:12");
	check_call("table<key, value>::grow(unsigned)", "source/of/the/table.c:12", 40,
		"table<…>::grow(…)  source/…/table.c:12");
}
END_TEST

UNIT_SUITE("shorten", names_lose_their_arguments_first, what_looks_like_a_bracket_stays,
	paths_lose_their_middle, calls_share_the_room)
