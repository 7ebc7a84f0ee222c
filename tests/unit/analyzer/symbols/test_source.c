/* SPDX-License-Identifier: MIT */
/* test_source.c - lines of source files, and of what is none. */
#include "analyzer/base/array.h"
#include "unit.h"

#include "analyzer/symbols/source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/mtracer-source-XXXXXX";
static char path[64];

static const char *path_of(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static const char *file_of(const char *name, const char *text, size_t size)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

static struct source_cache *begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	return source_cache_new();
}

static void end(struct source_cache *cache)
{
	source_cache_free(cache);
	unlink(path);
	rmdir(directory);
}

START_TEST(lines_have_no_ends)
{
	struct source_cache *cache = begin();
	const char *file = file_of("a.c", "one\n\ttwo\r\n\nfour", 15);

	ck_assert_str_eq(source_line(cache, file, 1), "one");
	ck_assert_str_eq(source_line(cache, file, 2), "\ttwo");
	ck_assert_str_eq(source_line(cache, file, 3), "");
	ck_assert_str_eq(source_line(cache, file, 4), "four");
	ck_assert_ptr_null(source_line(cache, file, 5));
	ck_assert_ptr_null(source_line(cache, file, 0));
	ck_assert_ptr_null(source_line(cache, file, UINT32_MAX));
	end(cache);
}
END_TEST

START_TEST(a_file_is_read_once)
{
	struct source_cache *cache = begin();
	const char *file = file_of("a.c", "old\n", 4);
	const char *line = source_line(cache, file, 1);

	ck_assert_str_eq(line, "old");
	file_of("a.c", "new\n", 4);
	ck_assert_ptr_eq(source_line(cache, file, 1), line);
	ck_assert_str_eq(line, "old");
	end(cache);
}
END_TEST

START_TEST(what_is_no_text_file_has_no_lines)
{
	static const char *const files[] = { "/nonexistent/a.c", "", "/", "/dev/zero", "/dev/null",
		"/dev/tty", "relative/none.c" };
	struct source_cache *cache = begin();

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		ck_assert_msg(!source_line(cache, files[i], 1), "%s", files[i]);
	ck_assert_ptr_null(source_line(cache, NULL, 1));
	ck_assert_ptr_null(source_line(cache, file_of("binary", "one\n\0two\n", 9), 1));
	unlink(path);
	ck_assert_ptr_null(source_line(cache, file_of("empty", "", 0), 1));
	end(cache);
}
END_TEST

START_TEST(pipes_do_not_block)
{
	struct source_cache *cache = begin();

	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
	ck_assert_ptr_null(source_line(cache, path, 1));
	end(cache);
}
END_TEST

START_TEST(huge_files_are_left_alone)
{
	struct source_cache *cache = begin();

	file_of("huge", "one\n", 4);
	ck_assert_int_eq(truncate(path, (64 << 20) + 1), 0);
	ck_assert_ptr_null(source_line(cache, path, 1));
	end(cache);
}
END_TEST

/* A regular file of size 0 that has a text. */
START_TEST(files_in_proc_are_read)
{
	struct source_cache *cache = begin();

	ck_assert_ptr_nonnull(source_line(cache, "/proc/self/status", 1));
	end(cache);
}
END_TEST

UNIT_SUITE("source", lines_have_no_ends, a_file_is_read_once, what_is_no_text_file_has_no_lines,
	pipes_do_not_block, huge_files_are_left_alone, files_in_proc_are_read)
