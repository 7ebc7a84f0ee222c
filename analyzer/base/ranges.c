/* SPDX-License-Identifier: MIT */
/*
 * ranges.c - a sorted array of ranges. `reach` tells where looking back for an enclosing range can
 * stop, so a look-up costs a binary search and as many steps as ranges overlap there.
 */
#include "analyzer/base/ranges.h"

#include "analyzer/base/mem.h"

#include <assert.h>
#include <stdlib.h>

void ranges_add(struct ranges *set, uint64_t low, uint64_t high, uint32_t owner)
{
	struct range range = { .low = low, .high = high, .owner = owner };

	if (low < high)
		VEC_PUSH(set->items, set->count, set->room, range);
}

static int compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	return a->owner < b->owner ? -1 : a->owner > b->owner;
}

bool ranges_are_valid(const struct ranges *set)
{
	uint64_t reach = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct range *r = &set->items[i];

		if (r->low >= r->high || (i && compare(r - 1, r) > 0))
			return false;
		if (r->high > reach)
			reach = r->high;
		if (r->reach != reach)
			return false;
	}
	return true;
}

void ranges_sort(struct ranges *set)
{
	uint64_t reach = 0;

	if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare);
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].high > reach)
			reach = set->items[i].high;
		set->items[i].reach = reach;
	}
	assert(ranges_are_valid(set));
}

void ranges_release(struct ranges *set)
{
	free(set->items);
	*set = (struct ranges){ 0 };
}

size_t ranges_last(const struct ranges *set, uint64_t address)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return ranges_previous(set, address, low + 1);
}

size_t ranges_previous(const struct ranges *set, uint64_t address, size_t index)
{
	for (size_t i = index - 1; i > 0 && set->items[i - 1].reach > address; i--)
		if (set->items[i - 1].high > address)
			return i;
	return 0;
}
