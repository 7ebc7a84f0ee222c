/* SPDX-License-Identifier: MIT */
/* ranges.h - arrays of address ranges, sorted, that don't overlap; their items have an `end`. */
#ifndef MTRACE_RANGES_H
#define MTRACE_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* By the end of the first item, and the distance from one item to the next in bytes. */
static inline size_t ranges_search(
	const char *first_end, size_t stride, size_t count, uintptr_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (*(const uintptr_t *)(const void *)(first_end + middle * stride) > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The number of the first item that ends behind the address; `count`: none does. */
#define RANGES_FIRST_BEHIND(items, count, address)                                 \
	ranges_search((const char *)(items) + offsetof(__typeof__(*(items)), end), \
		sizeof(*(items)), count, address)

#endif
