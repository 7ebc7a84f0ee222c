/* SPDX-License-Identifier: MIT */
/*
 * unit.h - a Check suite in one file: tests between the includes and UNIT_SUITE(name, test...).
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "analyzer/base/array.h"

#include <check.h>
#include <stdlib.h>

/* main() that runs the suite's one case. Tests run in processes of their own, so a crash is one
 * failed test. */
#define UNIT_SUITE(name, ...)                                  \
	int main(void)                                         \
	{                                                      \
		const TTest *tests[] = { __VA_ARGS__ };        \
		Suite *suite = suite_create(name);             \
		TCase *tests_case = tcase_create(name);        \
		SRunner *runner = srunner_create(suite);       \
		int failed;                                    \
                                                               \
		tcase_set_timeout(tests_case, 60);             \
		for (size_t i = 0; i < ARRAY_SIZE(tests); i++) \
			tcase_add_test(tests_case, tests[i]);  \
		suite_add_tcase(suite, tests_case);            \
		srunner_run_all(runner, CK_ENV);               \
		failed = srunner_ntests_failed(runner);        \
		srunner_free(runner);                          \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;   \
	}

#endif
