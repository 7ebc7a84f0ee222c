/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - a set of address ranges, each with an owner's number; finds those that hold an address.
 *
 * Ranges may overlap and nest. Fill, then sort once, then ask:
 *
 *	for (i = ranges_last(set, address); i; i = ranges_previous(set, address, i))
 *		use(set->items[i - 1].owner);
 */
#ifndef MTRACER_RANGES_H
#define MTRACER_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t low;	/* inclusive */
	uint64_t high;	/* exclusive */
	uint64_t reach; /* the greatest `high` among this range and all before it */
	uint32_t owner;
};

/* All zeros is an empty set. After ranges_sort(): by low, then wide before narrow, then by
 * owner. */
struct ranges {
	struct range *items;
	size_t count;
	size_t room;
};

void ranges_add(struct ranges *set, uint64_t low, uint64_t high, uint32_t owner);
void ranges_sort(struct ranges *set);
void ranges_release(struct ranges *set);

/* Sorted, none empty, and each reaches as far as any before it. For assertions. */
bool ranges_are_valid(const struct ranges *set);

/* Index + 1 of the last range that holds the address, and of the last such before `index`; 0 =
 * none. The last is the narrowest where ranges nest. */
size_t ranges_last(const struct ranges *set, uint64_t address);
size_t ranges_previous(const struct ranges *set, uint64_t address, size_t index);

#endif
