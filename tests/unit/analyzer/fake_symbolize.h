/* SPDX-License-Identifier: MIT */
/*
 * fake_symbolize.h - in place of analyzer/symbols/symbolize.c in unit tests: the names of addresses come
 * from a table.
 */
#ifndef TESTS_FAKE_SYMBOLIZE_H
#define TESTS_FAKE_SYMBOLIZE_H

#include "analyzer/symbols/symbolize.h"

/* The functions at one return address. Texts that are equal must be the same pointer. */
struct fake_symbols {
	uint64_t address;	  /* as in the trace's frame; 0 ends the table */
	struct symbol symbols[4]; /* until a NULL function */
};

extern const struct fake_symbols *fake_table; /* set by the test */
extern unsigned fake_lookups;		      /* how often symbolize() was called */

#endif
