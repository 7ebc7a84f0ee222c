/* SPDX-License-Identifier: MIT */
/*
 * page_data.h - what the parts of a page's data share: its measures, texts and frames by number, and
 * what is worth showing.
 *
 * Each part writes one member of the outermost object. Texts and frames come last, when all are known.
 */
#ifndef MTRACER_PAGE_DATA_H
#define MTRACER_PAGE_DATA_H

#include "analyzer/base/hashmap.h"
#include "analyzer/base/json.h"
#include "analyzer/export/stacks.h"
#include "analyzer/views/leaks.h"
#include "analyzer/views/tally.h"

struct page;
struct timeline;

/* In the order in which the page has them. The lost bytes are those that `leaks` reports, with what only
 * these lead to, by who allocated them. */
enum page_measure {
	PAGE_AT_PEAK,
	PAGE_CURRENT,
	PAGE_LOST,
	PAGE_OWN_PEAK, /* doesn't add up */
	PAGE_ALLOCATED,
	PAGE_ALLOCATIONS,
	PAGE_TEMPORARY,
	PAGE_BLOCKS,
	PAGE_MEASURES,
};

struct page_values {
	int64_t v[PAGE_MEASURES];
};

/* A function on a stack: indexes of texts. */
struct page_frame {
	uint32_t function, file, line, module;
};

struct page_data {
	const struct page *page;
	const struct trace *trace;
	struct resolver *resolver;
	struct tally tally;
	struct stacks *stacks;
	struct suppressions suppressions;
	struct leaks *leaks;
	uint64_t *lost; /* by site */
	struct page_values whole;
	struct json json;
	struct hashmap text_index, frame_index;
	const char **texts; /* the first is NULL: not known */
	struct page_frame *frames;
	size_t text_count, text_room, frame_count, frame_room;
};

uint32_t page_text(struct page_data *d, const char *text); /* its index; NULL is the first */
uint32_t page_frame(struct page_data *d, const char *function, const char *file, uint32_t line,
	const char *module);
uint32_t page_function(struct page_data *d, const struct frame_function *fn);

/* The frames of a site's stack, innermost first, into the open array. */
void page_stack(struct page_data *d, uint32_t site);

void page_values_add(struct page_values *to, const struct measures *m, uint64_t lost);
void page_values_sum(struct page_values *to, const struct page_values *from);
void page_values_write(const struct page_values *values, struct json *json);

/* The largest share that it has of any measure of the program. */
double page_share(const struct page_data *d, const struct page_values *values);

/* Indexes of the `most` largest, in their order; equal ones, the earlier. The caller frees them. */
uint32_t *page_largest(const double *shares, size_t count, size_t most, size_t *kept);

void page_write_tree(struct page_data *d);
/* All groupings, and with that by line the curve, since it is of the same rows. */
void page_write_rows(struct page_data *d);
/* numbers: by row of the profile, its number in the page. */
void page_write_curve(struct page_data *d, const struct profile *profile,
	const struct timeline *timeline, const uint32_t *numbers);
void page_write_leaks(struct page_data *d);
void page_write_source(struct page_data *d);
void page_write_diff(struct page_data *d);

#endif
