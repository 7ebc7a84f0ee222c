/* SPDX-License-Identifier: MIT */
/* test_preload_cuts.c - pages that are watched, and memory that goes with and without any. */
#include "fixture.h"

#include "preload/unwind/cuts.h"

#define PAGE 4096u
#define WATCHED 2000
#define RANGES 2000

static uint64_t pages[WATCHED];

static uint64_t some_page(void)
{
	return ((uint64_t)rand() << 16 ^ (uint64_t)rand()) % (1ull << 35);
}

static bool has_watched(uint64_t first, uint64_t last)
{
	for (int i = 0; i < WATCHED; i++)
		if (pages[i] >= first && pages[i] <= last)
			return true;
	return false;
}

static bool is_cut(uint64_t start, uint64_t size)
{
	uint32_t before = cuts_count;

	cuts_make((void *)start, size);
	return cuts_count != before;
}

static void start_watching(void)
{
	fixture_start();
	srand((unsigned)WATCHED);
	for (int i = 0; i < WATCHED; i++) {
		pages[i] = some_page();
		cuts_watch(pages[i] * PAGE + (uint64_t)rand() % PAGE);
	}
}

START_TEST(memory_with_a_watched_page_is_cut)
{
	start_watching();
	for (int i = 0; i < RANGES; i++) {
		uint64_t page = pages[rand() % WATCHED], before = (uint64_t)rand() % 300,
			 after = (uint64_t)rand() % 300;

		if (before > page)
			before = page;
		ck_assert(is_cut((page - before) * PAGE + (uint64_t)rand() % PAGE,
			(before + after) * PAGE + PAGE));
	}
	ck_assert(is_cut(0, 1ull << 47));
	ck_assert(!is_cut(pages[0] * PAGE, 0));
}
END_TEST

/* As many pages as a thousand threads have watched, at the same places modulo 1 GiB as much of the
 * memory that goes. */
START_TEST(other_memory_rarely_is)
{
	int unneeded = 0, others = 0;

	start_watching();
	for (int i = 0; i < RANGES; i++) {
		uint64_t page = some_page(), count = 1 + (uint64_t)rand() % 256;

		if (has_watched(page, page + count - 1))
			continue;
		others++;
		unneeded += is_cut(page * PAGE, count * PAGE);
	}
	ck_assert_int_gt(others, RANGES / 2);
	ck_assert_int_lt(unneeded, others / 50);
}
END_TEST

UNIT_SUITE("cuts", memory_with_a_watched_page_is_cut, other_memory_rarely_is)
