/* SPDX-License-Identifier: MIT */
/* test_preload_mapped.c - random mappings, against an array that has each page's owner. */
#include "unit.h"

#include "preload/leakscan/mapped.h"
#include "preload/sys/next.h"

#include <string.h>

#define PAGES 200u
#define START 0x10000ul
#define OTHER 7ul	/* somebody else's code */
#define ALLOCATOR 100ul /* of 10 bytes */

static bool owned[PAGES + 1];

static uintptr_t at(unsigned page)
{
	return START + 4096ul * page;
}

static void map_or_unmap(void)
{
	unsigned start = (unsigned)rand() % PAGES, count = (unsigned)rand() % 20 + 1;
	size_t size;
	int what = rand() % 3;

	if (start + count > PAGES)
		count = PAGES - start;
	size = 4096ul * count - (size_t)rand() % 4096;
	if (what == 0)
		mapped_forget(at(start), size);
	else
		mapped_note(
			at(start), size, what == 1 ? ALLOCATOR + (uintptr_t)rand() % 10 : OTHER);
	memset(owned + start, what == 1, count);
}

static void check(void)
{
	struct os_range range, found;
	unsigned page = 0;

	for (size_t i = 0; mapped_next(&i, &range);) {
		for (; at(page) < range.start; page++)
			ck_assert(!owned[page] && !mapped_around(at(page) + 5, &found));
		for (; at(page) < range.end; page++) {
			ck_assert(owned[page] && mapped_around(at(page) + 5, &found));
			ck_assert_uint_eq(found.start, range.start);
			ck_assert_uint_eq(found.end, range.end);
		}
	}
	for (; page < PAGES; page++)
		ck_assert(!owned[page] && !mapped_around(at(page) + 5, &found));
}

/* The C library's own need no notes. */
START_TEST(random_mappings)
{
	next.malloc = malloc;
	next.allocator = ALLOCATOR;
	next.allocator_size = 10;
	next.glibc = true;
	mapped_note(START, 4096, ALLOCATOR);
	check();
	next.glibc = false;
	srand(1);
	for (int i = 0; i < 2000; i++) {
		map_or_unmap();
		check();
	}
}
END_TEST

/* Before it is known who the allocator is, all are noted. */
START_TEST(early_mappings)
{
	mapped_note(at(1), 4096, ALLOCATOR);
	mapped_note(at(2), 4096, OTHER);
	mapped_note(at(3), 4096, ALLOCATOR);
	next.malloc = malloc;
	next.allocator = ALLOCATOR;
	next.allocator_size = 10;
	owned[1] = owned[3] = true;
	check();
}
END_TEST

UNIT_SUITE("mapped", random_mappings, early_mappings)
