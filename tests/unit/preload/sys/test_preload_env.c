/* SPDX-License-Identifier: MIT */
/* test_preload_env.c - values of the MTRACE_* variables, good and bad. */
#include "preload/sys/array.h"
#include "unit.h"

#include "preload/sys/env.h"

#include <string.h>
#include <unistd.h>

static bool read_one(const char *entry)
{
	char copy[200];
	char *environment[] = { copy, NULL };

	strcpy(copy, entry);
	return env_read(environment);
}

START_TEST(good_values)
{
	ck_assert(read_one("MTRACE_OUT=/tmp/%n.%p.%h.%%"));
	ck_assert(read_one("MTRACE_DEPTH=1") && config.depth == 1);
	ck_assert(read_one("MTRACE_DEPTH=1024") && config.depth == 1024);
	ck_assert(read_one("MTRACE_START=0") && !config.start);
	ck_assert(read_one("MTRACE_SAMPLE=512KiB") && config.sample.mean == 512 << 10);
	ck_assert(read_one("MTRACE_SAMPLE=2M") && config.sample.mean == 2 << 20);
	ck_assert(read_one("MTRACE_SAMPLE=0") && config.sample.mean == 0);
	ck_assert(read_one("MTRACE_SAMPLE=64KiB,7") && config.sample.mean == 64 << 10);
	ck_assert_uint_eq(config.sample.seed, 7);
	ck_assert(read_one("OTHER=1"));
	ck_assert(read_one("MTRACE_OUT=") && read_one("MTRACE_FOLLOW=")); /* as if unset */
	ck_assert(read_one("MTRACE_DEPTH="));
}
END_TEST

START_TEST(bad_values)
{
	static const char *const bad[] = { "MTRACE_OUT=%x", "MTRACE_OUT=a%", "MTRACE_DEPTH=0",
		"MTRACE_DEPTH=1025", "MTRACE_DEPTH=-1", "MTRACE_DEPTH=12x",
		"MTRACE_DEPTH=99999999999999999999999", "MTRACE_START=2", "MTRACE_START=yes",
		"MTRACE_SAMPLE=KiB", "MTRACE_SAMPLE=12XiB", "MTRACE_SAMPLE=1KiB,",
		"MTRACE_SAMPLE=1KiB,x", "MTRACE_SAMPLE=,1", "MTRACE_SAMPLE=9999999999GiB",
		"MTRACE_NONSENSE=1" };

	close(STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!read_one(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(the_library_is_taken_out_of_the_preload_list)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "LD_PRELOAD=/usr/lib/libmtrace.so", "LD_PRELOAD=" },
		{ "LD_PRELOAD=libmtrace.so:libfoo.so", "LD_PRELOAD=libfoo.so" },
		{ "LD_PRELOAD=libfoo.so /x/libmtrace.so.0 libbar.so",
			"LD_PRELOAD=libfoo.so libbar.so" },
		{ "LD_PRELOAD=libfoo.so", "LD_PRELOAD=libfoo.so" },
		{ "LD_PRELOADED=libmtrace.so", "LD_PRELOADED=libmtrace.so" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char copy[100];
		char *environment[] = { copy, NULL };

		strcpy(copy, cases[i].before);
		env_stop_following(environment);
		ck_assert_str_eq(copy, cases[i].after);
	}
}
END_TEST

UNIT_SUITE("env", good_values, bad_values, the_library_is_taken_out_of_the_preload_list)
