/* SPDX-License-Identifier: MIT */
/* test_match.c - which functions and points of two or three traces are taken for the same code. */
#include "analyzer/base/array.h"
#include "analyzer/views/code.h"
#include "analyzer/views/match.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* A point, and what it calls: names of functions, '*' for the allocation. */
struct spec {
	const char *name, *file;
	uint32_t line;
	const char *calls;
	uint64_t count, bytes;
	const char *module; /* NULL = "[program]" */
};

static uint32_t function_of(struct code *c, const struct spec *s)
{
	const char *module = s->module ? s->module : "[program]";

	for (uint32_t i = 0; i < c->function_count; i++) {
		const struct code_function *f = &c->functions[i];

		if (strcmp(f->name, s->name) == 0 && strcmp(f->module, module) == 0 &&
			strcmp(f->file ? f->file : "", s->file ? s->file : "") == 0)
			return i;
	}
	c->functions[c->function_count] = (struct code_function){ module, s->name, s->file };
	return (uint32_t)c->function_count++;
}

static uint32_t function_called(const struct code *c, const char *name)
{
	for (uint32_t i = 0; i < c->function_count; i++) {
		if (strcmp(c->functions[i].name, name) == 0)
			return i;
	}
	ck_abort_msg("no function '%s'", name);
	return 0;
}

static void add_calls(struct code *c, struct code_point *p, const char *calls, uint32_t *used)
{
	char text[128];

	snprintf(text, sizeof(text), "%s", calls);
	p->callees = *used;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		c->callees[(*used)++] =
			strcmp(word, "*") == 0 ? CODE_ALLOCATES : function_called(c, word);
		p->callee_count++;
	}
}

/* Lines are lines where there is a file, else offsets. */
static struct code *code_of(const struct spec *specs, size_t count, uint64_t build)
{
	struct code *c = calloc(1, sizeof(*c));
	uint32_t used = 0;

	c->functions = calloc(count, sizeof(*c->functions));
	c->points = calloc(count, sizeof(*c->points));
	c->callees = calloc(4 * count, sizeof(*c->callees));
	c->point_count = count;
	for (size_t i = 0; i < count; i++)
		c->points[i] = (struct code_point){ .function = function_of(c, &specs[i]),
			.file = specs[i].file,
			.line = specs[i].file ? specs[i].line : 0,
			.offset = specs[i].line,
			.build = build,
			.count = specs[i].count,
			.bytes = specs[i].bytes };
	for (size_t i = 0; i < count; i++)
		add_calls(c, &c->points[i], specs[i].calls, &used);
	return c;
}

#define POINTS_MAX 16

/*
 * Matches `after` with `before`; expected[i] is the place in `before` of the partner of the i-th
 * point, -1 where it is new. Both ways round must say the same.
 */
static void match_one_way(const struct spec *before, size_t before_count, const struct spec *after,
	size_t after_count, const int *expected, bool same_build)
{
	struct code *a = code_of(before, before_count, 1);
	struct code *b = code_of(after, after_count, same_build ? 1 : 2);
	uint32_t ids[POINTS_MAX], others[POINTS_MAX];
	struct match *m = match_new();

	match_add(m, a, ids);
	match_add(m, b, others);
	for (size_t i = 0; i < after_count; i++) {
		int found = -1;

		for (size_t k = 0; k < before_count; k++) {
			if (ids[k] == others[i])
				found = (int)k;
		}
		ck_assert_msg(found == expected[i], "point %zu (%s:%u): partner %d, expected %d", i,
			after[i].name, after[i].line, found, expected[i]);
	}
	match_free(m);
	code_free(a);
	code_free(b);
}

static void match_both_ways(const struct spec *before, size_t before_count,
	const struct spec *after, size_t after_count, const int *expected)
{
	int back[POINTS_MAX];

	match_one_way(before, before_count, after, after_count, expected, false);
	for (size_t k = 0; k < before_count; k++) {
		back[k] = -1;
		for (size_t i = 0; i < after_count; i++) {
			if (expected[i] == (int)k)
				back[k] = (int)i;
		}
	}
	match_one_way(after, after_count, before, before_count, back, false);
}

#define MATCHES(before, after, ...)                                                              \
	do {                                                                                     \
		const int expected[] = { __VA_ARGS__ };                                          \
		ck_assert_uint_eq(ARRAY_SIZE(expected), ARRAY_SIZE(after));                      \
		match_both_ways(before, ARRAY_SIZE(before), after, ARRAY_SIZE(after), expected); \
	} while (0)

static const struct spec plain[] = {
	{ "main", "/a/app.c", 10, "load", 100, 1000, NULL },
	{ "main", "/a/app.c", 12, "show", 50, 500, NULL },
	{ "load", "/a/app.c", 30, "*", 60, 600, NULL },
	{ "load", "/a/app.c", 33, "copy", 40, 400, NULL },
	{ "copy", "/a/app.c", 50, "*", 40, 400, NULL },
	{ "show", "/a/app.c", 60, "*", 50, 500, NULL },
};

START_TEST(the_same_is_the_same)
{
	MATCHES(plain, plain, 0, 1, 2, 3, 4, 5);
}
END_TEST

START_TEST(lines_and_order_of_functions_do_not_matter)
{
	static const struct spec moved[] = {
		{ "show", "/a/app.c", 5, "*", 50, 500, NULL },
		{ "copy", "/a/app.c", 12, "*", 40, 400, NULL },
		{ "load", "/a/app.c", 107, "copy", 40, 400, NULL },
		{ "load", "/a/app.c", 103, "*", 60, 600, NULL },
		{ "main", "/a/app.c", 203, "load", 100, 1000, NULL },
		{ "main", "/a/app.c", 212, "show", 50, 500, NULL },
	};

	MATCHES(plain, moved, 5, 4, 3, 2, 0, 1);
}
END_TEST

START_TEST(amounts_may_change)
{
	static const struct spec more[] = {
		{ "main", "/a/app.c", 10, "load", 100000, 90000000, NULL },
		{ "main", "/a/app.c", 12, "show", 50, 500, NULL },
		{ "load", "/a/app.c", 31, "*", 99960, 89999600, NULL },
		{ "load", "/a/app.c", 34, "copy", 40, 400, NULL },
		{ "copy", "/a/app.c", 51, "*", 40, 400, NULL },
		{ "show", "/a/app.c", 61, "*", 50, 500, NULL },
	};

	MATCHES(plain, more, 0, 1, 2, 3, 4, 5);
}
END_TEST

/* Three allocations in one function where there were two: the one that doesn't fit is new. */
START_TEST(a_new_line_among_old_ones)
{
	static const struct spec before[] = {
		{ "f", "/a/a.c", 10, "*", 100, 6400, NULL },
		{ "f", "/a/a.c", 12, "*", 1, 9, NULL },
	};
	static const struct spec first[] = {
		{ "f", "/a/a.c", 9, "*", 7, 70000, NULL },
		{ "f", "/a/a.c", 11, "*", 100, 6400, NULL },
		{ "f", "/a/a.c", 13, "*", 1, 9, NULL },
	};
	static const struct spec middle[] = {
		{ "f", "/a/a.c", 10, "*", 100, 6400, NULL },
		{ "f", "/a/a.c", 11, "*", 7, 70000, NULL },
		{ "f", "/a/a.c", 13, "*", 1, 9, NULL },
	};
	static const struct spec last[] = {
		{ "f", "/a/a.c", 10, "*", 100, 6400, NULL },
		{ "f", "/a/a.c", 12, "*", 1, 9, NULL },
		{ "f", "/a/a.c", 14, "*", 7, 70000, NULL },
	};

	MATCHES(before, first, -1, 0, 1);
	MATCHES(before, middle, 0, -1, 1);
	MATCHES(before, last, 0, 1, -1);
}
END_TEST

/* Calls of other functions are other points, even at the old line. */
START_TEST(callees_tell_points_apart)
{
	static const struct spec before[] = {
		{ "f", "/a/a.c", 10, "g", 5, 50, NULL },
		{ "g", "/a/a.c", 20, "*", 5, 50, NULL },
	};
	static const struct spec after[] = {
		{ "f", "/a/a.c", 10, "*", 5, 50, NULL },
		{ "f", "/a/a.c", 11, "g", 5, 50, NULL },
		{ "g", "/a/a.c", 20, "*", 5, 50, NULL },
	};

	MATCHES(before, after, -1, 0, 1);
}
END_TEST

START_TEST(a_renamed_file)
{
	static const struct spec moved[] = {
		{ "main", "/b/core.c", 10, "load", 100, 1000, NULL },
		{ "main", "/b/core.c", 12, "show", 50, 500, NULL },
		{ "load", "/b/core.c", 30, "*", 60, 600, NULL },
		{ "load", "/b/core.c", 33, "copy", 40, 400, NULL },
		{ "copy", "/b/util.c", 1, "*", 40, 400, NULL },
		{ "show", NULL, 0x60, "*", 50, 500, NULL },
	};

	MATCHES(plain, moved, 0, 1, 2, 3, 4, 5);
}
END_TEST

START_TEST(a_renamed_function_with_the_same_surroundings)
{
	static const struct spec renamed[] = {
		{ "main", "/a/app.c", 10, "read_all", 100, 1000, NULL },
		{ "main", "/a/app.c", 12, "show", 50, 500, NULL },
		{ "read_all", "/a/app.c", 30, "*", 60, 600, NULL },
		{ "read_all", "/a/app.c", 33, "duplicate", 40, 400, NULL },
		{ "duplicate", "/a/app.c", 50, "*", 40, 400, NULL },
		{ "show", "/a/app.c", 60, "*", 50, 500, NULL },
	};

	MATCHES(plain, renamed, 0, 1, 2, 3, 4, 5);
}
END_TEST

START_TEST(another_function_in_the_same_surroundings)
{
	static const struct spec replaced[] = {
		{ "main", "/a/app.c", 10, "load", 100, 1000, NULL },
		{ "main", "/a/app.c", 12, "draw", 5, 50000, NULL },
		{ "load", "/a/app.c", 30, "*", 60, 600, NULL },
		{ "load", "/a/app.c", 33, "copy", 40, 400, NULL },
		{ "copy", "/a/app.c", 50, "*", 40, 400, NULL },
		{ "draw", "/a/app.c", 60, "*", 5, 50000, NULL },
	};

	/* show() and draw() differ in number and size by orders of magnitude */
	MATCHES(plain, replaced, 0, 1, 2, 3, 4, -1);
}
END_TEST

START_TEST(another_function_is_not_a_renamed_one)
{
	static const struct spec after[] = {
		{ "main", "/a/app.c", 10, "load", 100, 1000, NULL },
		{ "main", "/a/app.c", 12, "show", 50, 500, NULL },
		{ "main", "/a/app.c", 13, "check", 9, 90, NULL },
		{ "load", "/a/app.c", 30, "*", 60, 600, NULL },
		{ "show", "/a/app.c", 60, "*", 50, 500, NULL },
		{ "check", "/a/app.c", 70, "*", 9, 90, NULL },
	};

	/* copy() is gone and check() is new: they were called from elsewhere */
	MATCHES(plain, after, 0, 1, -1, 2, 5, -1);
}
END_TEST

/* Two renamed functions called one after the other: told apart by where they are called. */
START_TEST(two_renamed_at_once)
{
	static const struct spec before[] = {
		{ "main", "/a/app.c", 10, "one", 5, 50, NULL },
		{ "main", "/a/app.c", 11, "two", 7, 70, NULL },
		{ "one", "/a/app.c", 20, "*", 5, 50, NULL },
		{ "two", "/a/app.c", 30, "*", 7, 70, NULL },
	};
	static const struct spec after[] = {
		{ "main", "/a/app.c", 10, "first", 5, 50, NULL },
		{ "main", "/a/app.c", 11, "second", 7, 70, NULL },
		{ "second", "/a/app.c", 20, "*", 7, 70, NULL },
		{ "first", "/a/app.c", 30, "*", 5, 50, NULL },
	};

	MATCHES(before, after, 0, 1, 3, 2);
}
END_TEST

START_TEST(static_functions_of_one_name)
{
	static const struct spec before[] = {
		{ "init", "/a/x/one.c", 10, "*", 5, 50, NULL },
		{ "init", "/a/x/two.c", 10, "*", 7, 70, NULL },
		{ "init", "/a/y/two.c", 10, "*", 9, 90, NULL },
	};
	static const struct spec after[] = {
		{ "init", "/b/y/two.c", 11, "*", 50, 1, NULL },
		{ "init", "/b/x/two.c", 12, "*", 70, 2, NULL },
		{ "init", "/b/x/one.c", 13, "*", 90, 3, NULL },
	};

	MATCHES(before, after, 2, 1, 0);
}
END_TEST

START_TEST(modules_are_kept_apart)
{
	static const struct spec before[] = {
		{ "init", NULL, 0x10, "*", 5, 50, "liba.so" },
		{ "init", NULL, 0x10, "*", 5, 50, "libb.so" },
	};
	static const struct spec after[] = {
		{ "init", NULL, 0x20, "*", 5, 50, "libb.so" },
		{ "init", NULL, 0x20, "*", 5, 50, "libc.so" },
	};

	MATCHES(before, after, 1, -1);
}
END_TEST

START_TEST(without_lines_the_order_of_calls_counts)
{
	static const struct spec before[] = {
		{ "f", NULL, 0x1000, "*", 5, 50, NULL },
		{ "f", NULL, 0x1010, "*", 5, 5000, NULL },
		{ "f", NULL, 0x1020, "*", 5, 50, NULL },
	};
	static const struct spec after[] = {
		{ "f", NULL, 0x7700, "*", 5, 50, NULL },
		{ "f", NULL, 0x7718, "*", 5, 50, NULL },
		{ "f", NULL, 0x7710, "*", 5, 5000, NULL },
	};

	MATCHES(before, after, 0, 2, 1);
}
END_TEST

START_TEST(without_names_amounts_count)
{
	static const struct spec before[] = {
		{ "", NULL, 0x1000, "*", 5, 50, NULL },
		{ "", NULL, 0x1010, "*", 100, 5000, NULL },
		{ "", NULL, 0x1020, "*", 9, 99, NULL },
	};
	static const struct spec after[] = {
		{ "", NULL, 0x2000, "*", 100, 5000, NULL },
		{ "", NULL, 0x2010, "*", 9, 99, NULL },
		{ "", NULL, 0x2020, "*", 5, 50, NULL },
		{ "", NULL, 0x2030, "*", 60000, 1, NULL },
	};

	MATCHES(before, after, 1, 2, 0, -1);
}
END_TEST

/* In one build a point is where it is, whatever it did in each run. */
START_TEST(one_build_is_matched_by_location)
{
	static const struct spec before[] = {
		{ "f", "/a/a.c", 10, "*", 5, 50, NULL },
	};
	static const struct spec after[] = {
		{ "f", "/a/a.c", 9, "*", 5, 50, NULL },
		{ "f", "/a/a.c", 10, "*", 900, 1, NULL },
	};
	static const int expected[] = { -1, 0 };
	static const int order_only[] = { 0, -1 };

	match_one_way(before, 1, after, 2, expected, true);
	match_one_way(before, 1, after, 2, order_only, false);
}
END_TEST

/* What only the second trace had is known when the third comes. */
START_TEST(identities_go_on)
{
	static const struct spec second[] = {
		{ "f", "/a/a.c", 10, "*", 5, 50, NULL },
		{ "f", "/a/a.c", 11, "*", 700, 70000, NULL },
		{ "f", "/a/a.c", 12, "*", 3, 9, NULL },
	};
	static const struct spec first[] = {
		{ "f", "/a/a.c", 10, "*", 5, 50, NULL },
		{ "f", "/a/a.c", 12, "*", 3, 9, NULL },
	};
	struct code *a = code_of(first, 2, 1), *b = code_of(second, 3, 2),
		    *c = code_of(second, 3, 3);
	uint32_t ids[3][3];
	struct match *m = match_new();

	match_add(m, a, ids[0]);
	match_add(m, b, ids[1]);
	match_add(m, c, ids[2]);
	ck_assert_uint_eq(ids[0][0], ids[1][0]);
	ck_assert_uint_eq(ids[0][1], ids[1][2]);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(ids[1][i], ids[2][i]);
	ck_assert_uint_eq(match_point_count(m), 3);
	ck_assert_uint_eq(match_function_count(m), 1);
	match_free(m);
	code_free(a);
	code_free(b);
	code_free(c);
}
END_TEST

/* A function with very many points takes neither the time nor the memory of a table. */
START_TEST(large_functions_end_soon)
{
	size_t count = 20000;
	struct spec *specs = calloc(count, sizeof(*specs));
	uint32_t *ids = calloc(count, sizeof(*ids)), *others = calloc(count, sizeof(*others));
	struct match *m = match_new();
	struct code *a, *b;

	for (size_t i = 0; i < count; i++)
		specs[i] = (struct spec){ "f", NULL, (uint32_t)(16 * i), "*", 1, 1, NULL };
	a = code_of(specs, count, 1);
	for (size_t i = 0; i < count; i++)
		specs[i].line += 8;
	b = code_of(specs, count, 2);
	match_add(m, a, ids);
	match_add(m, b, others);
	ck_assert_mem_eq(ids, others, count * sizeof(*ids));
	match_free(m);
	code_free(a);
	code_free(b);
	free(specs);
	free(ids);
	free(others);
}
END_TEST

UNIT_SUITE("match", the_same_is_the_same, lines_and_order_of_functions_do_not_matter,
	amounts_may_change, a_new_line_among_old_ones, callees_tell_points_apart, a_renamed_file,
	a_renamed_function_with_the_same_surroundings, another_function_in_the_same_surroundings,
	another_function_is_not_a_renamed_one, two_renamed_at_once, static_functions_of_one_name,
	modules_are_kept_apart, without_lines_the_order_of_calls_counts,
	without_names_amounts_count, one_build_is_matched_by_location, identities_go_on,
	large_functions_end_soon)
