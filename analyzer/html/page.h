/* SPDX-License-Identifier: MIT */
/*
 * page.h - a trace as one file for a browser: page.html, page.css and page.js as they are here, and the
 * trace's data as JSON between them.
 *
 * The page needs nothing else and asks for nothing: what it may execute is named by its hash, and
 * texts from the trace are data (json_start_script()). Its size is bounded: what is too small to be
 * seen is added up, and said to be.
 */
#ifndef MTRACER_PAGE_H
#define MTRACER_PAGE_H

#include <stdbool.h>
#include <stdio.h>

struct diff;
struct reading;

struct page {
	const struct reading *reading;
	const struct diff *diff; /* the trace is the new one of two; NULL: nothing is compared */
	bool no_source;
};

void page_write(const struct page *page, FILE *out);

#endif
