/* SPDX-License-Identifier: MIT */
/* test_opts.c - the option parser: every way to write an option, and every way to get it wrong. */
#include "analyzer/base/array.h"
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "analyzer/base/opts.h"

struct values {
	bool json;
	const char *out;
	uint64_t limit, size;
	int by;
	struct option_list names;
};

static const char *const colours[] = { "red", "green", NULL };

static const struct option_row rows[] = {
	{ OPTION_FLAG, "json", 'j', NULL, "print JSON", offsetof(struct values, json), NULL },
	{ OPTION_TEXT, "out", 'o', "FILE", "write to FILE", offsetof(struct values, out), NULL },
	{ OPTION_NUMBER, "limit", 'n', "N", "N rows", offsetof(struct values, limit), NULL },
	{ OPTION_SIZE, "min-bytes", 0, "SIZE", "at least", offsetof(struct values, size), NULL },
	{ OPTION_CHOICE, "by", 0, "WHAT", "colour", offsetof(struct values, by), colours },
	{ OPTION_LIST, "name", 0, "X",
		"names that are\nmany, and so do not fit in a line of eighty columns",
		offsetof(struct values, names), NULL },
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};

static struct values values;
static char *arguments[16];
static int operands;
static char said[1024]; /* on stderr */

/* Parses words separated by blanks; what is said on stderr goes to `said`. */
static enum options_result parse(const char *line, bool stop_at_operand)
{
	static char copy[256];
	enum options_result result;
	int pipe_ends[2], saved = dup(STDERR_FILENO);
	int argc = 0;
	ssize_t size;

	options_release(rows, &values);
	memset(&values, 0, sizeof(values));
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		arguments[argc++] = w;
	arguments[argc] = NULL;
	ck_assert_int_eq(pipe(pipe_ends), 0);
	dup2(pipe_ends[1], STDERR_FILENO);
	result = options_parse(rows, "test", &values, argc, arguments, stop_at_operand, &operands);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(pipe_ends[1]);
	size = read(pipe_ends[0], said, sizeof(said) - 1);
	said[size > 0 ? size : 0] = '\0';
	close(pipe_ends[0]);
	close(saved);
	return result;
}

START_TEST(every_form_is_understood)
{
	ck_assert_int_eq(parse("--json a --out=x --limit 7 b --min-bytes 2KiB --by green", false),
		OPTIONS_OK);
	ck_assert(values.json);
	ck_assert_str_eq(values.out, "x");
	ck_assert_uint_eq(values.limit, 7);
	ck_assert_uint_eq(values.size, 2048);
	ck_assert_int_eq(values.by, 1);
	ck_assert_int_eq(operands, 2);
	ck_assert_str_eq(arguments[0], "a");
	ck_assert_str_eq(arguments[1], "b");
	ck_assert_int_eq(parse("-j -n3 -o y", false), OPTIONS_OK);
	ck_assert(values.json);
	ck_assert_uint_eq(values.limit, 3);
	ck_assert_str_eq(values.out, "y");
	ck_assert_int_eq(parse("--js --lim 2", false), OPTIONS_OK);
	ck_assert(values.json);
	ck_assert_uint_eq(values.limit, 2);
}
END_TEST

START_TEST(lists_keep_their_order)
{
	ck_assert_int_eq(parse("--name a --name=b", false), OPTIONS_OK);
	ck_assert_uint_eq(values.names.count, 2);
	ck_assert_str_eq(values.names.items[0], "a");
	ck_assert_str_eq(values.names.items[1], "b");
}
END_TEST

START_TEST(a_command_line_keeps_its_options)
{
	ck_assert_int_eq(parse("-j ./app --json -x", true), OPTIONS_OK);
	ck_assert_int_eq(operands, 3);
	ck_assert_str_eq(arguments[1], "--json");
	ck_assert_int_eq(parse("-- -j --out", false), OPTIONS_OK);
	ck_assert(!values.json);
	ck_assert_int_eq(operands, 2);
	ck_assert_str_eq(arguments[0], "-j");
	ck_assert_int_eq(parse("-", false), OPTIONS_OK);
	ck_assert_int_eq(operands, 1);
}
END_TEST

START_TEST(help_is_always_understood)
{
	ck_assert_int_eq(parse("--help", false), OPTIONS_HELP);
	ck_assert_int_eq(parse("x -h", false), OPTIONS_HELP);
	ck_assert_int_eq(parse("./app --help", true), OPTIONS_OK);
}
END_TEST

START_TEST(mistakes_are_told_in_one_line)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "--limti 3",
			"mtracer: test: unknown option '--limti'; did you mean '--limit'?\n" },
		{ "--zzzzzzz",
			"mtracer: test: unknown option '--zzzzzzz'; see 'mtracer help test'\n" },
		{ "-z", "mtracer: test: unknown option '-z'; see 'mtracer help test'\n" },
		{ "--out", "mtracer: test: option '--out' needs a value: --out FILE\n" },
		{ "--json=1", "mtracer: test: option '--json' takes no value\n" },
		{ "--limit x", "mtracer: test: '--limit x' is not a whole number\n" },
		{ "--limit -1", "mtracer: test: '--limit -1' is not a whole number\n" },
		{ "--limit 99999999999999999999",
			"mtracer: test: '--limit 99999999999999999999' is not a whole number\n" },
		{ "--min-bytes 3q", "mtracer: test: '--min-bytes 3q' is not a size such as 4096, "
				    "64KiB or 1.5MiB\n" },
		{ "--by gren", "mtracer: test: '--by gren' is not known; did you mean 'green'?\n" },
		{ "--by x", "mtracer: test: '--by x' is not known; known are red, green\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(parse(cases[i].line, false), OPTIONS_WRONG);
		ck_assert_str_eq(said, cases[i].says);
	}
}
END_TEST

START_TEST(near_names_are_offered_and_far_ones_are_not)
{
	static const char *const names[] = { "report", "info", "run", NULL };

	ck_assert_str_eq(nearest_name("reprot", names), "report");
	ck_assert_str_eq(nearest_name("inf", names), "info");
	ck_assert_str_eq(nearest_name("rnu", names), "run");
	ck_assert_ptr_null(nearest_name("annotate", names));
	ck_assert_ptr_null(
		nearest_name("a-name-that-is-far-too-long-to-be-a-typo-of-these", names));
}
END_TEST

START_TEST(the_table_is_the_help)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	options_help(rows, f);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "  -o, --out FILE        write to FILE\n"));
	ck_assert_ptr_nonnull(strstr(text,
		"      --name X          names that are many, and so do not fit in a line of\n"
		"                        eighty columns\n"));
	ck_assert_ptr_nonnull(strstr(text, "  -h, --help            show this help and exit\n"));
	free(text);
}
END_TEST

UNIT_SUITE("opts", every_form_is_understood, lists_keep_their_order,
	a_command_line_keeps_its_options, help_is_always_understood, mistakes_are_told_in_one_line,
	near_names_are_offered_and_far_ones_are_not, the_table_is_the_help)
