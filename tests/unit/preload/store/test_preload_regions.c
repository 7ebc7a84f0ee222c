/* SPDX-License-Identifier: MIT */
/* test_preload_regions.c - random mappings and unmappings, in the regions and in a plain array of
 * pages. */
#include "fixture.h"

#include "preload/store/regions.h"

#define PAGES 300
#define BASE 0x200000000000ul
#define EVENTS 20000
#define SITES 5

static int owner[PAGES];    /* number of the mapping that the page belongs to, 0 = none */
static int site_of[EVENTS]; /* by number of the mapping */
static uint32_t sites[SITES];

static void check_site(int s)
{
	int64_t bytes = 0, blocks = 0;
	bool seen[EVENTS] = { false };

	ck_assert(regions_are_valid());
	for (int i = 0; i < PAGES; i++) {
		if (!owner[i] || site_of[owner[i]] != s)
			continue;
		bytes += 4096;
		blocks += !seen[owner[i]];
		seen[owner[i]] = true;
	}
	ck_assert_int_eq((int64_t)trace.sites[sites[s]].current_bytes, bytes);
	ck_assert_int_eq((int64_t)trace.sites[sites[s]].current_blocks, blocks);
}

static void event(int number)
{
	int start = rand() % PAGES, size = 1 + rand() % (rand() % 4 ? 8 : PAGES - start);
	int s = rand() % SITES;

	if (start + size > PAGES)
		size = PAGES - start;
	site_of[number] = s;
	if (rand() % 2)
		regions_add(
			thread_self, BASE + (uintptr_t)start * 4096, (size_t)size * 4096, sites[s]);
	else
		regions_remove(thread_self, BASE + (uintptr_t)start * 4096, (size_t)size * 4096),
			number = 0;
	for (int i = start; i < start + size; i++)
		owner[i] = number;
}

START_TEST(pieces_add_up)
{
	fixture_start();
	srand(7);
	for (uint32_t i = 0; i < SITES; i++)
		sites[i] = site_for(node_get(MT_NODE_ROOT, fixture_frame(1 + i)), MT_KIND_MMAP);
	for (int i = 1; i < EVENTS; i++) {
		event(i);
		if (i % 53 == 0)
			check_site(rand() % SITES);
	}
	for (int s = 0; s < SITES; s++)
		check_site(s);
	for (int i = 0; i < PAGES; i++)
		ck_assert(regions_known(BASE + (uintptr_t)i * 4096) == (owner[i] != 0));
	ck_assert_uint_eq(trace.header->lost[MT_LOST_SLOT], 0);
}
END_TEST

UNIT_SUITE("regions", pieces_add_up)
