/* SPDX-License-Identifier: MIT */
/* test_preload_blocks.c - random blocks, looked up by any address, and looked for one by one. */
#include "unit.h"

#include "preload/leakscan/blocks.h"
#include "preload/leakscan/scan.h"
#include "preload/leakscan/scanmem.h"
#include "preload/store/slots.h"

#include <string.h>

#define BLOCKS 1500
#define PIECES 4   /* slots that a large size takes besides its own */
#define LARGE 4096 /* of such a block that others overlap, all of it is known */

static const uintptr_t bases[] = { 0xa08b000, 0x555555559000, 0x7f7ff0000000 };

static struct twin {
	uintptr_t start;
	uint64_t size;
} twins[BLOCKS];
static unsigned count;

static uint64_t some_size(void)
{
	switch (rand() % 12) {
	case 0:
		return 0;
	case 1:
		return BLOCK_LARGE - 2 + (uint64_t)(rand() % 4);
	case 2:
		return (uint64_t)rand() % (300 << 10);
	case 3:
		return rand() % 20 ? 4096 : (uint64_t)rand() % (200 << 20);
	default:
		return (uint64_t)(rand() % 200);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* No two in a granule; a start that is taken is left alone. */
static void put(uintptr_t start, uint64_t size)
{
	uint32_t *slot;

	if (!slot_at((void *)start))
		ck_assert_ptr_nonnull(slot_leaf_new(start));
	slot = slot_at((void *)start);
	for (int i = 0; i <= PIECES; i++)
		if (slot[i])
			return;
	slot_write(slot, (void *)start, 1 + (uint32_t)rand() % 1000, size);
	twins[count++] = (struct twin){ start, size };
}

/* Each reaches over several spans, and into some that others cover in part, or whole. */
static void fill_with_large_ones(uintptr_t granule)
{
	uintptr_t at = bases[1] / granule * granule;

	count = 0;
	for (int i = 0; i < BLOCKS; i++) {
		put(at, rand() % 3 ? (uint64_t)rand() % 200 : (uint64_t)rand() % (300 << 10));
		at += (uintptr_t)(1 + PIECES + rand() % 1000) * granule;
	}
}

static void fill(uintptr_t granule, bool overlapping)
{
	uintptr_t at = 0;

	count = 0;
	for (int i = 0; i < BLOCKS; i++) {
		uint64_t size = some_size(), room = (size + 32 + granule - 1) / granule * granule;

		if (i % (BLOCKS / 3) == 0)
			at = bases[i / (BLOCKS / 3)] / granule * granule;
		put(at, size);
		if (overlapping && rand() % 4 == 0)
			room = (uint64_t)(1 + PIECES + rand() % 8) * 32;
		at += room +
		      (rand() % 30 == 0 ? (uint64_t)rand() % (1 << 20) / granule * granule : 0);
	}
	qsort(twins, count, sizeof(*twins), by_start);
}

static bool covers(const struct twin *t, uintptr_t address)
{
	return address == t->start || address - t->start < t->size;
}

/* The nearest block, or the nearest large one. */
static const struct twin *twin_at(uintptr_t address)
{
	const struct twin *nearest = NULL, *large = NULL;

	for (unsigned i = 0; i < count && twins[i].start <= address; i++) {
		nearest = &twins[i];
		if (nearest->size >= LARGE)
			large = nearest;
	}
	if (nearest && covers(nearest, address))
		return nearest;
	return large && covers(large, address) ? large : NULL;
}

static bool in_ranges(uintptr_t address)
{
	return address - block_ranges[0].start < block_ranges[0].size ||
	       address - block_ranges[1].start < block_ranges[1].size;
}

static void check(uintptr_t address)
{
	const struct twin *t = twin_at(address);
	uint32_t first = in_ranges(address) ? blocks_in_cell(address) : 0;
	uint32_t block = first ? blocks_at(address, first) : 0;

	ck_assert_int_eq(block != 0, t != NULL);
	if (t)
		ck_assert_uint_eq(block_start(block), t->start);
}

static void check_all(void)
{
	ck_assert_uint_eq(block_count, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t size = twins[i].size;

		ck_assert_uint_eq(block_start(i + 1), twins[i].start);
		ck_assert_uint_eq(block_size(i + 1), size);
		ck_assert_uint_eq(blocks_from(twins[i].start), i + 1);
		ck_assert_uint_eq(blocks_from(twins[i].start + 1), i + 1 < count ? i + 2 : 0);
		block_set_mark(i + 1, i % 5);
		ck_assert_uint_eq(block_mark(i + 1), i % 5);
		ck_assert_uint_eq(block_size(i + 1), size);
		for (int k = -2; k <= 2; k++) {
			check(twins[i].start + (uintptr_t)k);
			check(twins[i].start + size + (uintptr_t)k);
		}
		if (size)
			check(twins[i].start + (uintptr_t)rand() * 31 % size);
		check(twins[i].start + (uintptr_t)(rand() % 100000));
	}
}

enum layout { APART, OVERLAPPING, LARGE_OVERLAPPING };

static void run(bool glibc, enum layout layout)
{
	uintptr_t granule = glibc ? 32 : 8;

	for (unsigned seed = 0; seed < 10; seed++) {
		slots_init(glibc);
		srand(seed);
		if (layout == LARGE_OVERLAPPING)
			fill_with_large_ones(granule);
		else
			fill(granule, layout == OVERLAPPING);
		ck_assert(blocks_find());
		check_all();
		scan_release();
		memset(slot_root, 0, sizeof(slot_root));
		slot_leaf_count = 0;
	}
}

START_TEST(blocks_32_bytes_apart)
{
	run(true, APART);
}
END_TEST

START_TEST(blocks_8_bytes_apart)
{
	run(false, APART);
}
END_TEST

START_TEST(overlapping_blocks)
{
	run(true, OVERLAPPING);
	run(false, OVERLAPPING);
}
END_TEST

START_TEST(large_overlapping_blocks)
{
	run(true, LARGE_OVERLAPPING);
	run(false, LARGE_OVERLAPPING);
}
END_TEST

START_TEST(no_block_and_one)
{
	slots_init(true);
	count = 0;
	ck_assert(blocks_find());
	ck_assert(!in_ranges(0) && !in_ranges(4096) && !in_ranges(UINTPTR_MAX));
	ck_assert_uint_eq(blocks_from(0), 0);
	scan_release();
	put(bases[1], 100);
	ck_assert(blocks_find());
	check_all();
	scan_release();
}
END_TEST

UNIT_SUITE("blocks", blocks_32_bytes_apart, blocks_8_bytes_apart, overlapping_blocks,
	large_overlapping_blocks, no_block_and_one)
