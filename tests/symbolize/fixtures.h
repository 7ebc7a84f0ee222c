/* SPDX-License-Identifier: MIT */
/*
 * fixtures.h - the programs that variants.sh made, and a symbolizer with one module in it.
 */
#ifndef TESTS_SYMBOLIZE_FIXTURES_H
#define TESTS_SYMBOLIZE_FIXTURES_H

#include "analyzer/symbols/symbolize.h"

#include <stdio.h>

/* The path of a file that variants.sh made; static memory, of four calls. */
const char *fixture(const char *name);

/* Opens a list of programs, one a line; ends the test where there is none. */
FILE *fixture_list(const char *name);
char *fixture_next(FILE *list, char line[4096]); /* NULL = no more */

/* A module as a trace would have it, at its own addresses. build_id points to static memory. */
struct symbolizer_module fixture_module(const char *path);

/* What one line of the output of `places` says. */
struct expectation {
	uint64_t address;
	size_t count;
	char function[8][32];
	unsigned int line[8];
};
FILE *fixture_run(const char *program);
bool fixture_expectation(FILE *output, struct expectation *e); /* false = no more */

#endif
