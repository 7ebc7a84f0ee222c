/* SPDX-License-Identifier: MIT */
/* page_leaks.c - what nothing points to: the rows of `leaks`, the largest, with their stacks. */
#include "analyzer/html/page_data.h"
#include "analyzer/trace/trace.h"

#define LEAKS_KEPT 200
#define STACKS_KEPT 5
#define PARTS_KEPT 5

static void write_size(struct json *j, const struct leak_size *size)
{
	json_unsigned(j, NULL, size->bytes);
	json_unsigned(j, NULL, size->blocks);
}

static void write_stacks(struct page_data *d, const struct leak *leak)
{
	struct json *j = &d->json;

	json_unsigned(j, "stack_count", leak->stack_count);
	json_array(j, "stacks", true);
	for (size_t i = 0; i < leak->stack_count && i < STACKS_KEPT; i++) {
		json_array(j, NULL, true);
		write_size(j, &leak->stacks[i].own);
		write_size(j, &leak->stacks[i].all);
		page_stack(d, leak->stacks[i].site);
		json_close(j);
	}
	json_close(j);
}

static void write_parts(struct page_data *d, const struct leak *leak)
{
	struct json *j = &d->json;

	json_unsigned(j, "part_count", leak->part_count);
	json_array(j, "parts", true);
	for (size_t i = 0; i < leak->part_count && i < PARTS_KEPT; i++) {
		json_array(j, NULL, true);
		write_size(j, &leak->parts[i].size);
		json_unsigned(j, NULL, page_function(d, &leak->parts[i].owner));
		json_close(j);
	}
	json_close(j);
}

static void write_leak(struct page_data *d, const struct leak *leak)
{
	struct json *j = &d->json;

	json_object(j, NULL, true);
	json_unsigned(j, "kind", leak->kind);
	json_unsigned(j, "frame", page_function(d, &leak->owner));
	json_array(j, "size", true);
	write_size(j, &leak->own);
	write_size(j, &leak->all);
	json_close(j);
	json_unsigned(j, "allocations", leak->m.allocations);
	write_stacks(d, leak);
	if (leak->part_count)
		write_parts(d, leak);
	json_close(j);
}

static void write_sums(struct page_data *d, const char *key, const struct leak_sum *sums)
{
	struct json *j = &d->json;

	json_array(j, key, true);
	for (int kind = 0; kind < LEAK_KINDS; kind++) {
		json_unsigned(j, NULL, sums[kind].bytes);
		json_unsigned(j, NULL, sums[kind].blocks);
	}
	json_close(j);
}

void page_write_leaks(struct page_data *d)
{
	const struct leaks *leaks = d->leaks;
	struct json *j = &d->json;

	json_object(j, "leaks", true);
	json_bool(j, "classified", leaks->classified);
	json_text(j, "why", leaks->why);
	if (leaks->classified)
		json_unsigned(j, "scan_at_ns", d->trace->header.scan_at_ns);
	json_array(j, "kinds", true);
	for (int kind = 0; kind < LEAK_KINDS; kind++)
		json_text(j, NULL, leak_kind_names[kind]);
	json_close(j);
	write_sums(d, "found", leaks->found);
	write_sums(d, "suppressed", leaks->suppressed);
	json_unsigned(j, "row_count", leaks->count);
	json_array(j, "rows", true);
	for (size_t i = 0; i < leaks->count && i < LEAKS_KEPT; i++)
		write_leak(d, &leaks->items[i]);
	json_close(j);
	json_close(j);
}
