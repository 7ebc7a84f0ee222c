/* SPDX-License-Identifier: MIT */
/* test_preload_slots.c - random blocks in the slot table and in a plain list. */
#include "unit.h"

#include "preload/store/slots.h"
#include "preload/unwind/stacks.h"

#include <string.h>

#define BLOCKS 2000
#define BASE 0x100000000000ul

struct twin {
	uintptr_t address;
	struct block block;
};

static struct twin twins[BLOCKS];

/* Sizes around the limits of what a slot holds, some beyond 4 GiB. */
static uint64_t some_size(void)
{
	switch (rand() % 6) {
	case 0:
		return SLOT_LARGE - 2 + (uint64_t)(rand() % 4);
	case 1:
		return (uint64_t)(rand() % (1 << 20)) << (rand() % 16);
	case 2:
		return 0;
	default:
		return (uint64_t)(rand() % 600);
	}
}

static uint64_t room_for(uint64_t size)
{
	return (size + 32 + 31) / 32 * 32;
}

/* Blocks one behind the other, as an allocator may give them out, across leaves. */
static uintptr_t next_place(uintptr_t at)
{
	uintptr_t near_end =
		(at | ((1ul << SLOT_REGION_BITS) - 1)) + 1 - 32 * (uintptr_t)(rand() % 3 + 1);

	return rand() % 50 == 0 && near_end > at ? near_end : at;
}

static void put(struct twin *t)
{
	if (!slot_at((void *)t->address))
		ck_assert_ptr_nonnull(slot_leaf_new(t->address));
	slot_write(slot_at((void *)t->address), (void *)t->address, t->block.site, t->block.size);
}

static void fill(uintptr_t granule)
{
	uintptr_t at = BASE + (uintptr_t)(rand() % 1000) * 4096;

	for (int i = 0; i < BLOCKS; i++) {
		struct block b = { (uint32_t)rand() % (MT_SITES_MOST - 1) + 1, some_size(), 1 };

		at = next_place(at);
		twins[i] = (struct twin){ at, b };
		put(&twins[i]);
		at += granule == 8 && b.size <= 8 ? 8 : room_for(b.size);
	}
}

static void check_number(uintptr_t address, const uint32_t *slot)
{
	uintptr_t region = address >> SLOT_REGION_BITS;

	ck_assert_ptr_eq(slot, slot_root[region >> SLOT_BRANCH_BITS][region & (SLOT_BRANCH - 1)] +
				       slot_number(address));
	ck_assert_uint_eq(slot_block(region, slot_number(address), *slot), address);
}

static void check_all(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		const uint32_t *slot = slot_at((void *)twins[i].address);
		struct block b = { 0 };

		if (slot && *slot)
			b = slot_read(slot);
		ck_assert_uint_eq(b.site, twins[i].block.site);
		if (!b.site)
			continue;
		ck_assert_uint_eq(b.size, twins[i].block.size);
		check_number(twins[i].address, slot);
	}
}

#define FAR (1u << 23) /* bytes: further from a block's start a look takes long */

/* By a look at each block: the nearest below, if it reaches so far. */
static void check_found(uintptr_t address)
{
	const struct twin *last = NULL;
	struct block b;
	uintptr_t start;

	for (int i = 0; i < BLOCKS; i++)
		if (twins[i].block.site && twins[i].address <= address)
			last = &twins[i];
	if (!last || address - last->address > FAR)
		return;
	b = slot_find(address, &start);
	if (address - last->address >= (last->block.size ? last->block.size : 1)) {
		ck_assert_uint_eq(b.site, 0);
		return;
	}
	ck_assert_uint_eq(b.site, last->block.site);
	ck_assert_uint_eq(b.size, last->block.size);
	ck_assert_uint_eq(start, last->address);
}

static void check_addresses(void)
{
	for (int i = 0; i < 10; i++) {
		const struct twin *t = &twins[rand() % BLOCKS];
		uint64_t size = t->block.size < 1 << 22 ? t->block.size : 1 << 22;

		check_found(t->address);
		check_found(t->address - 1);
		check_found(t->address + size / 2);
		check_found(t->address + size - 1);
		check_found(t->address + size);
	}
}

static void run(bool glibc)
{
	slots_init(glibc);
	for (unsigned seed = 0; seed < 20; seed++) {
		srand(seed);
		fill(glibc ? 32 : 8);
		check_all();
		check_addresses();
		for (int i = 0; i < BLOCKS; i += 1 + rand() % 3) {
			struct block b = slot_take((void *)twins[i].address);

			ck_assert_uint_eq(b.site, twins[i].block.site);
			ck_assert_uint_eq(b.size, twins[i].block.size);
			twins[i].block.site = 0;
		}
		check_all();
		check_addresses();
		for (int i = 0; i < BLOCKS; i++)
			slot_take((void *)twins[i].address);
	}
}

START_TEST(blocks_32_bytes_apart)
{
	run(true);
}
END_TEST

START_TEST(blocks_8_bytes_apart)
{
	run(false);
}
END_TEST

START_TEST(addresses_out_of_reach)
{
	uintptr_t start;

	slots_init(true);
	ck_assert_ptr_null(slot_at((void *)(1ul << 47)));
	ck_assert_ptr_null(slot_leaf_new(1ul << 47));
	ck_assert_ptr_null(slot_at(NULL));
	ck_assert_uint_eq(slot_take((void *)UINTPTR_MAX).site, 0);
	for (unsigned bit = 0; bit < 64; bit++)
		ck_assert_uint_eq(slot_find(1ul << bit, &start).site, 0);
	ck_assert_uint_eq(slot_find(0, &start).site, 0);
}
END_TEST

/* One after the other, and once more from anywhere: each has the leaf that it got first. */
START_TEST(many_leaves)
{
	static uint32_t *first[500];

	slots_init(true);
	for (uintptr_t i = 0; i < 500; i++) {
		first[i] = slot_leaf_new(BASE + (i << SLOT_REGION_BITS));
		ck_assert_ptr_nonnull(first[i]);
		ck_assert_uint_eq(*first[i], 0);
		*first[i] = (uint32_t)i + 1;
	}
	for (uintptr_t i = 0; i < 500; i++) {
		ck_assert_ptr_eq(slot_leaf_new(BASE + (i << SLOT_REGION_BITS)), first[i]);
		ck_assert_uint_eq(*first[i], i + 1);
	}
	ck_assert_uint_lt(slot_leaf_count, 700);
}
END_TEST

/* Leaves come by several at a time, around one that is there. */
START_TEST(leaves_around_others)
{
	uint32_t *slots[100];

	slots_init(false);
	for (uintptr_t i = 0; i < 100; i++) {
		uintptr_t at = BASE + (i * 37 % 100 << SLOT_REGION_BITS);

		if (!slot_at((void *)at))
			ck_assert_ptr_nonnull(slot_leaf_new(at));
		slots[i] = slot_at((void *)at);
		slot_write(slots[i], (void *)at, (uint32_t)i + 1, i);
	}
	for (uintptr_t i = 0; i < 100; i++) {
		uintptr_t at = BASE + (i * 37 % 100 << SLOT_REGION_BITS);

		ck_assert_ptr_eq(slot_at((void *)at), slots[i]);
		ck_assert_uint_eq(slot_take((void *)at).site, i + 1);
	}
}
END_TEST

UNIT_SUITE("slots", many_leaves, leaves_around_others, blocks_32_bytes_apart, blocks_8_bytes_apart,
	addresses_out_of_reach)
