/* SPDX-License-Identifier: MIT */
/*
 * diff_print.h - a diff, human-readable, for a pull request, and as JSON; all begin with the verdict.
 * And its rows alone, as comma-separated values.
 */
#ifndef MTRACER_DIFF_PRINT_H
#define MTRACER_DIFF_PRINT_H

#include "analyzer/views/diff.h"
#include "analyzer/views/limit.h"

struct json;

struct diff_view {
	const struct diff *diff;
	enum sort_key sort;  /* the measure of the rows */
	enum sort_key total; /* the measure of the verdict */
	enum sort_key site;  /* the measure that limit_site is on */
	struct limit limit_total, limit_site;
	struct diff_row **rows; /* that the filter keeps, in order */
	size_t row_count;
	size_t shown;		/* of these */
	struct diff_row **over; /* over limit_site */
	size_t over_count;
};

/* Something grew by more than a limit allows. */
bool diff_is_over(const struct diff_view *view);

/* There is a limit on what can't be compared. */
bool diff_has_no_verdict(const struct diff_view *view);

void diff_print_text(const struct diff_view *view);
void diff_print_markdown(const struct diff_view *view);
void diff_print_json(const struct diff_view *view);
void diff_print_csv(const struct diff_view *view);

#endif
