/* SPDX-License-Identifier: MIT */
/* test_ranges.c - look-ups in overlapping ranges, against a plain scan of all of them. */
#include "unit.h"

#include "analyzer/base/ranges.h"

#include <stdbool.h>

#define SPACE 400 /* addresses; small, so that ranges overlap and nest */

static void fill(struct ranges *set, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		uint64_t low = rand() % SPACE;

		ranges_add(set, low, low + rand() % (i % 5 ? 20 : SPACE), i);
	}
	ranges_sort(set);
}

/* Every range that holds the address, last in the array's order first, and no other. */
static void check_address(const struct ranges *set, uint64_t address)
{
	size_t found = ranges_last(set, address);

	for (size_t i = set->count; i > 0; i--) {
		const struct range *r = &set->items[i - 1];

		if (r->low > address || address >= r->high)
			continue;
		ck_assert_uint_eq(found, i);
		found = ranges_previous(set, address, found);
	}
	ck_assert_uint_eq(found, 0);
}

START_TEST(all_ranges_at_an_address_are_found)
{
	for (unsigned int seed = 0; seed < 200; seed++) {
		struct ranges set = { 0 };

		srand(seed);
		fill(&set, seed);
		ck_assert(ranges_are_valid(&set));
		for (uint64_t address = 0; address < 2 * SPACE; address++)
			check_address(&set, address);
		ranges_release(&set);
	}
}
END_TEST

START_TEST(the_narrowest_comes_first)
{
	struct ranges set = { 0 };

	ranges_add(&set, 12, 14, 3);
	ranges_add(&set, 10, 20, 2);
	ranges_add(&set, 10, 100, 1);
	ranges_sort(&set);
	ck_assert_uint_eq(set.items[ranges_last(&set, 13) - 1].owner, 3);
	ck_assert_uint_eq(set.items[ranges_last(&set, 11) - 1].owner, 2);
	ck_assert_uint_eq(set.items[ranges_last(&set, 50) - 1].owner, 1);
	ranges_release(&set);
}
END_TEST

START_TEST(empty_and_reversed_ranges_hold_nothing)
{
	struct ranges set = { 0 };

	ranges_add(&set, 5, 5, 1);
	ranges_add(&set, 9, 3, 2);
	ranges_sort(&set);
	ck_assert_uint_eq(set.count, 0);
	ck_assert_uint_eq(ranges_last(&set, 5), 0);
	ranges_add(&set, UINT64_MAX - 1, UINT64_MAX, 3);
	ranges_sort(&set);
	ck_assert_uint_eq(ranges_last(&set, UINT64_MAX - 1), 1);
	ck_assert_uint_eq(ranges_last(&set, UINT64_MAX), 0);
	ranges_release(&set);
}
END_TEST

UNIT_SUITE("ranges", all_ranges_at_an_address_are_found, the_narrowest_comes_first,
	empty_and_reversed_ranges_hold_nothing)
