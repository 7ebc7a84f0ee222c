/* SPDX-License-Identifier: MIT */
/* test_preload_sites_full.c - more call sites than can be told apart, of which there are few here. */
#define MT_SITES_MOST 100u
#include "preload/unwind/stacks.c"

#include "fixture.h"

#define STACKS 300u

static uint32_t number(uint32_t i)
{
	uint32_t node = node_get(MT_NODE_ROOT, fixture_frame(1 + i));

	return site_of_path(path_hash(path_hash(0, MT_NODE_ROOT), 1 + i), node);
}

START_TEST(the_later_ones_share_one_and_the_disk_is_not_blamed)
{
	uint32_t shared;

	fixture_start();
	for (uint32_t i = 0; i < MT_SITES_MOST - 1; i++)
		ck_assert_uint_eq(number(i), i + 1);
	ck_assert(!(trace.header->flags & MT_NOTE_FULL));
	ck_assert(site_loss() == MT_LOST_SITE);
	shared = number(MT_SITES_MOST);
	ck_assert_uint_eq(shared, MT_SITES_MOST);
	ck_assert_uint_eq(trace.site_info[shared].node, MT_NODE_BROKEN);
	for (uint32_t i = MT_SITES_MOST; i < STACKS; i++)
		ck_assert_uint_eq(number(i), shared);
	ck_assert_uint_eq(number(0), 1);
	ck_assert_uint_eq(count_of(MT_SITES), MT_SITES_MOST + 1);
	ck_assert(trace.header->flags & MT_NOTE_FULL);
	ck_assert(!(trace.header->flags & MT_NOTE_STORAGE));
	ck_assert(tracefile_room(MT_STRINGS, 1u << 20)); /* the file grows on */
}
END_TEST

START_TEST(a_mapping_of_a_new_one_is_lost_by_the_limit)
{
	fixture_start();
	for (uint32_t i = 0; i < STACKS; i++)
		(void)number(i);
	ck_assert_uint_eq(site_for(node_get(MT_NODE_ROOT, fixture_frame(1)), MT_KIND_MMAP), 0);
	ck_assert(site_loss() == MT_LOST_LIMIT);
}
END_TEST

UNIT_SUITE("sites_full", the_later_ones_share_one_and_the_disk_is_not_blamed,
	a_mapping_of_a_new_one_is_lost_by_the_limit)
