/* SPDX-License-Identifier: MIT */
/*
 * toprow.h - a row of `mtracer top`: how its numbers are written, whether a search finds it, and the
 * page about it: figures, source, and the call stacks that lead to it.
 */
#ifndef MTRACER_TOPROW_H
#define MTRACER_TOPROW_H

#include "analyzer/views/follow.h"
#include "analyzer/views/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct canvas;
struct strbuf;
struct toprow_page;

struct top_row {
	const struct row *row;
	uint64_t name; /* the same from one reading to the next */
	int64_t growth;
	uint64_t news; /* allocations since the reading before */
};

/* "12345", "123k", "1.23M": at most 6 columns until there are too many for anything. */
void top_add_count(struct strbuf *text, uint64_t count);
void top_add_growth(struct strbuf *text, int64_t bytes); /* "+12.3 MiB"; "" for 0 */

/* Whether a text is in a row's names, whatever the case: for a site in any of its stack's. */
bool top_row_has(const struct row *row, enum profile_by by, const struct trace *trace,
	struct resolver *resolver, const char *text);

struct toprow_page *toprow_open(struct follow *follow, enum profile_by by);
void toprow_update(struct toprow_page *page); /* after the profile was made anew */
void toprow_close(struct toprow_page *page);  /* NULL is ok */

/* Lines [first, first + count) of the page; gives how many it has. `row` NULL: there is none any
 * more. */
size_t toprow_draw(struct toprow_page *page, const struct top_row *row,
	const struct profile *profile, double lasted, size_t first, size_t count, struct canvas *c);

#endif
