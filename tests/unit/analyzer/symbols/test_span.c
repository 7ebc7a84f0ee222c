/* SPDX-License-Identifier: MIT */
/* test_span.c - where functions begin and end in the text of their source. */
#include "unit.h"

#include "analyzer/symbols/span.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a text, line 1 is the first; `known` as debug information has it. */
static void check(const char *text, struct extent known, uint32_t before, struct extent expected)
{
	struct source_cache *sources = source_cache_new();
	char path[] = "/tmp/mtracer-span-XXXXXX";
	int fd = mkstemp(path);
	struct extent got;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	got = function_span(sources, path, known, before);
	unlink(path);
	source_cache_free(sources);
	ck_assert_msg(got.first == expected.first && got.last == expected.last,
		"%u-%u, not %u-%u, in:\n%s", got.first, got.last, expected.first, expected.last,
		text);
}

#define EXTENT(first, last) ((struct extent){ first, last })
#define ANY UINT32_MAX

START_TEST(the_brace_at_the_margin_ends_it)
{
	check("int f(void)\n{\n\treturn 1;\n}\nint g;\n", EXTENT(1, 3), ANY, EXTENT(1, 4));
	check("int f(void) {\n  if (a) {\n    b();\n  }\n}\n", EXTENT(1, 3), ANY, EXTENT(1, 5));
	check("\tvoid put()\n\t{\n\t\tx();\n\t}\n\n\tint other;\n}\n", EXTENT(1, 3), ANY,
		EXTENT(1, 4));
	check("int f(void) { return 1; }\nint g(void) {\n}\n", EXTENT(1, 1), ANY, EXTENT(1, 1));
	check("int f(void)\n{\n#ifdef A\n\ta();\n#endif\nout:\n\tb();\n}\n", EXTENT(1, 4), ANY,
		EXTENT(1, 8));
}
END_TEST

START_TEST(the_return_type_and_the_template_belong_to_it)
{
	check("\nstatic int\nf(int a)\n{\n}\n", EXTENT(3, 5), ANY, EXTENT(2, 5));
	check("int a;\ntemplate <class T>\n[[nodiscard]]\nT f()\n{\n}\n", EXTENT(4, 6), ANY,
		EXTENT(2, 6));
	check("#[inline]\nfn f() {\n}\n", EXTENT(2, 3), ANY, EXTENT(1, 3));
	check("}\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
	check("int a;\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
	check("/* text */\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
	check("words // text\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
	check("struct s { std::string t; };\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
	check("std::string\nf()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(1, 4));
	check("public:\nint f()\n{\n}\n", EXTENT(2, 4), ANY, EXTENT(2, 4));
}
END_TEST

START_TEST(what_is_unclear_stays_as_known)
{
	check("int f(void)\n\tx();\nint g(void)\n{\n}\n", EXTENT(1, 2), ANY, EXTENT(1, 2));
	check("int f(void)\n{\n\tx();\n}\n", EXTENT(1, 3), 4, EXTENT(1, 3));
	check("", EXTENT(7, 9), ANY, EXTENT(7, 9));
	check("one line", EXTENT(1, 100), ANY, EXTENT(1, 100));
	check("int f()\n{\n", EXTENT(1, 2), ANY, EXTENT(1, 2));
	check("int f()\n", EXTENT(0, 0), ANY, EXTENT(0, 0));
}
END_TEST

START_TEST(a_file_that_is_not_there_tells_nothing)
{
	struct source_cache *sources = source_cache_new();
	struct extent got = function_span(sources, "/nonexistent.c", EXTENT(3, 5), ANY);

	ck_assert_uint_eq(got.first, 3);
	ck_assert_uint_eq(got.last, 5);
	got = function_span(sources, NULL, EXTENT(3, 5), ANY);
	ck_assert_uint_eq(got.last, 5);
	source_cache_free(sources);
}
END_TEST

UNIT_SUITE("span", the_brace_at_the_margin_ends_it, the_return_type_and_the_template_belong_to_it,
	what_is_unclear_stays_as_known, a_file_that_is_not_there_tells_nothing)
