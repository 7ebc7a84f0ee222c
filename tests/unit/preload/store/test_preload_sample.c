/* SPDX-License-Identifier: MIT */
/* test_preload_sample.c - estimates from samples against the truth, over many seeds. */
#include "unit.h"

#include "preload/store/sample.h"

#include <math.h>
#include <stdbool.h>

#define MEAN 4096
#define BLOCKS 20000
#define SEEDS 300

/* Sums up what a run's samples stand for; *truth is what was allocated. */
static struct weight estimate(
	uint64_t seed, uint64_t most, struct weight *truth, struct mt_estimate *variance)
{
	struct weight sum = { 0, 0 };
	int64_t distance = sample_distance(&seed);

	*truth = (struct weight){ 0, 0 };
	for (int i = 0; i < BLOCKS; i++) {
		uint64_t size = 1 + (uint64_t)i * 7919 % most;

		truth->bytes += size;
		truth->blocks++;
		distance -= (int64_t)(size | SAMPLE_LEAST);
		if (distance > 0)
			continue;
		distance = sample_distance(&seed);
		sample_vary(variance, size, SAMPLE_NEW);
		sum.bytes += sample_weight(size).bytes;
		sum.blocks += sample_weight(size).blocks;
	}
	return sum;
}

/* The mean over the seeds has no bias, and the error's 95 % interval holds about that often. */
static void check_size(uint64_t most)
{
	double bytes = 0, blocks = 0, error;
	struct weight truth;
	int inside = 0, blocks_inside = 0;

	sample_init(MEAN);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct mt_estimate variance = { 0 };
		struct weight w = estimate(seed * 1000003, most, &truth, &variance);

		bytes += (double)w.bytes / SEEDS;
		blocks += (double)w.blocks / SAMPLE_UNIT / SEEDS;
		/* Never more than what holds for blocks that are much smaller than the mean. */
		ck_assert_double_le(variance.allocated_bytes, 1.0001 * MEAN * (double)w.bytes);
		error = sqrt(variance.allocated_bytes);
		inside += fabs((double)w.bytes - (double)truth.bytes) < 1.96 * error;
		error = sqrt(variance.allocations);
		blocks_inside += fabs((double)w.blocks / SAMPLE_UNIT - truth.blocks) < 1.96 * error;
	}
	error = sqrt((double)MEAN * (double)truth.bytes / SEEDS);
	ck_assert_double_eq_tol(bytes, (double)truth.bytes, 4 * error);
	ck_assert_double_eq_tol(blocks, truth.blocks, 0.05 * truth.blocks);
	ck_assert_int_ge(inside, SEEDS * 90 / 100);
	ck_assert_int_le(inside, SEEDS * 99 / 100);
	ck_assert_int_ge(blocks_inside, SEEDS * 89 / 100);
	ck_assert_int_le(blocks_inside, SEEDS * 99 / 100);
}

START_TEST(small_blocks)
{
	check_size(100);
}
END_TEST

START_TEST(blocks_about_the_distance)
{
	check_size(2 * MEAN);
}
END_TEST

START_TEST(large_blocks_are_nearly_exact)
{
	struct weight w;

	sample_init(MEAN);
	w = sample_weight(100 * MEAN);
	ck_assert_uint_eq(w.bytes, 100 * MEAN);
	ck_assert_uint_eq(w.blocks, SAMPLE_UNIT);
}
END_TEST

START_TEST(distances_are_exponential)
{
	double sum = 0, squares = 0;
	uint64_t seed = 42;

	sample_init(MEAN);
	for (int i = 0; i < 200000; i++) {
		double d = (double)sample_distance(&seed);

		sum += d / 200000;
		squares += d * d / 200000;
	}
	ck_assert_double_eq_tol(sum, MEAN, 0.01 * MEAN);
	ck_assert_double_eq_tol(squares, 2.0 * MEAN * MEAN, 0.03 * 2 * MEAN * MEAN);
}
END_TEST

START_TEST(what_is_gone_varies_no_more)
{
	struct mt_estimate e = { 0 };

	sample_init(MEAN);
	for (uint64_t size = 0; size < 5 * MEAN; size += 17)
		sample_vary(&e, size, SAMPLE_NEW);
	sample_save_at_peak(&e);
	ck_assert_double_eq(e.at_peak_bytes, e.allocated_bytes);
	for (uint64_t size = 0; size < 5 * MEAN; size += 17)
		sample_vary(&e, size, size % 2 ? SAMPLE_FREED : SAMPLE_TEMPORARY);
	ck_assert_double_le(fabs(e.current_bytes), 1e-9 * e.allocated_bytes);
	ck_assert_double_le(fabs(e.current_blocks), 1e-9 * e.allocations);
	ck_assert_double_gt(e.temporary, 0.3 * e.allocations);
}
END_TEST

START_TEST(the_filter_has_what_was_added)
{
	static char heap[1 << 16];
	int lacking = 0;

	ck_assert(!sample_lacks(heap)); /* not sampling */
	sample_init(MEAN);
	for (int i = 0; i < 100; i++)
		sample_filter_add(&heap[64 * i]);
	for (int i = 0; i < 100; i++)
		ck_assert(!sample_lacks(&heap[64 * i]));
	for (int i = 100; i < 1024; i++)
		lacking += sample_lacks(&heap[64 * i]);
	ck_assert_int_gt(lacking, 900);
	for (int i = 0; i < 1000; i++)
		sample_filter_add(heap);
	for (int i = 0; i < 2000; i++)
		sample_filter_remove(heap);
	ck_assert(!sample_lacks(heap)); /* at the top for good */
	for (int i = 1; i < 100; i++)
		sample_filter_remove(&heap[64 * i]);
	for (int i = 1; i < 1024; i++)
		lacking += sample_lacks(&heap[64 * i]);
	ck_assert_int_gt(lacking, 900 + 1020);
}
END_TEST

UNIT_SUITE("sample", what_is_gone_varies_no_more, the_filter_has_what_was_added, small_blocks,
	blocks_about_the_distance, large_blocks_are_nearly_exact, distances_are_exponential)
