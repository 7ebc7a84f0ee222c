/* SPDX-License-Identifier: MIT */
/* test_paths.c - paths are shortened to what distinguishes them, and no further. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/base/paths.h"

static void expect(struct paths *p, const char *path, const char *expected)
{
	ck_assert_str_eq(paths_short(p, path), expected);
}

START_TEST(the_name_is_enough_where_it_is_alone)
{
	struct paths *p = paths_new();

	paths_add(p, "/home/u/src/main.c");
	paths_add(p, "/home/u/src/main.c");
	paths_add(p, "/usr/include/x.h");
	paths_add(p, NULL);
	expect(p, "/home/u/src/main.c", "main.c");
	expect(p, "/usr/include/x.h", "x.h");
	expect(p, "/never/added", "/never/added");
	paths_free(p);
}
END_TEST

START_TEST(equal_names_get_their_directories)
{
	struct paths *p = paths_new();

	paths_add(p, "/a/lib/util/x.c");
	paths_add(p, "/b/lib/util/x.c");
	paths_add(p, "/a/app/x.c");
	paths_add(p, "/a/app/y.c");
	expect(p, "/a/lib/util/x.c", "a/lib/util/x.c");
	expect(p, "/b/lib/util/x.c", "b/lib/util/x.c");
	expect(p, "/a/app/x.c", "app/x.c");
	expect(p, "/a/app/y.c", "y.c");
	paths_free(p);
}
END_TEST

START_TEST(one_may_be_the_end_of_the_other)
{
	struct paths *p = paths_new();

	paths_add(p, "x.c");
	paths_add(p, "/x.c");
	paths_add(p, "/src/x.c");
	expect(p, "x.c", "x.c");
	expect(p, "/x.c", "/x.c");
	expect(p, "/src/x.c", "src/x.c");
	paths_free(p);
}
END_TEST

START_TEST(odd_paths_end)
{
	struct paths *p = paths_new();
	static char deep[2][4096];

	for (int i = 0; i < 2; i++) {
		deep[i][0] = (char)('a' + i);
		for (size_t n = 1; n < sizeof(deep[i]) - 1; n++)
			deep[i][n] = n % 2 ? '/' : 'x';
		paths_add(p, deep[i]);
	}
	paths_add(p, "");
	paths_add(p, "/");
	paths_add(p, "//");
	expect(p, "", "");
	expect(p, "/", "/");
	expect(p, deep[0], deep[0]); /* too much alike to be worth a search */
	expect(p, deep[1], deep[1]);
	paths_free(p);
}
END_TEST

UNIT_SUITE("paths", the_name_is_enough_where_it_is_alone, equal_names_get_their_directories,
	one_may_be_the_end_of_the_other, odd_paths_end)
