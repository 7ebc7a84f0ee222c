/* SPDX-License-Identifier: MIT */
/*
 * peekview.h - functions between their callers and callees, as 'mtracer tree --peek' prints them.
 */
#ifndef MTRACER_PEEKVIEW_H
#define MTRACER_PEEKVIEW_H

#include "analyzer/views/profile.h"
#include "analyzer/views/reading.h"

struct peek_options {
	const char *pattern; /* which functions: selection.h */
	enum sort_key key;
	double percent; /* of the function's: neighbours with less are added up */
	bool json;
	uint64_t width; /* columns; 0 = the terminal's */
	const struct reading_options *reading;
};

/* EXIT_OK, or EXIT_ERROR after an error: no function is meant. */
int peek_show(
	struct reading *reading, const struct totals *totals, const struct peek_options *options);

#endif
