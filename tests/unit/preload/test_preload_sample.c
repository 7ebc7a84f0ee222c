/* test_preload_sample.c - estimates from samples against the truth, over many seeds. */
#include "unit.h"

#include "preload/sample.h"

#include <math.h>
#include <stdbool.h>

#define MEAN 4096
#define BLOCKS 20000
#define SEEDS 300

/* Sums up what a run's samples stand for; *truth is what was allocated. */
static struct weight estimate(uint64_t seed, uint64_t most, struct weight *truth)
{
	struct weight sum = { 0, 0 };
	int64_t distance = sample_distance(&seed);
	uintptr_t address = 0x100000 + seed % 4096 * 16;

	*truth = (struct weight){ 0, 0 };
	for (int i = 0; i < BLOCKS; i++, address += most + 16) {
		uint64_t size = 1 + (uint64_t)i * 7919 % most;

		truth->bytes += size;
		truth->blocks++;
		distance -= (int64_t)size;
		if (distance > 0)
			continue;
		distance = sample_distance(&seed);
		sum.bytes += sample_weight((void *)address, size).bytes;
		sum.blocks += sample_weight((void *)address, size).blocks;
	}
	return sum;
}

/* The mean over the seeds has no bias, and the error's 95 % interval holds about that often: for
 * blocks much smaller than the mean distance, the variance of the bytes is mean * bytes. */
static void check_size(uint64_t most, bool small)
{
	double bytes = 0, blocks = 0, error;
	struct weight truth;
	int inside = 0;

	sample_init(MEAN);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct weight w = estimate(seed * 1000003, most, &truth);

		bytes += (double)w.bytes / SEEDS;
		blocks += (double)w.blocks / SEEDS;
		error = sqrt((double)MEAN * (double)truth.bytes);
		inside += fabs((double)w.bytes - (double)truth.bytes) < 1.96 * error;
	}
	error = sqrt((double)MEAN * (double)truth.bytes / SEEDS);
	ck_assert_double_eq_tol(bytes, (double)truth.bytes, 4 * error);
	ck_assert_double_eq_tol(blocks, truth.blocks, 0.05 * truth.blocks);
	ck_assert_int_ge(inside, SEEDS * 91 / 100);
	if (small)
		ck_assert_int_le(inside, SEEDS * 99 / 100);
}

START_TEST(small_blocks)
{
	check_size(100, true);
}
END_TEST

START_TEST(blocks_about_the_distance)
{
	check_size(2 * MEAN, false);
}
END_TEST

START_TEST(large_blocks_are_nearly_exact)
{
	struct weight w;

	sample_init(MEAN);
	w = sample_weight((void *)0x1000, 100 * MEAN);
	ck_assert_uint_eq(w.bytes, 100 * MEAN);
	ck_assert_uint_eq(w.blocks, 1);
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

UNIT_SUITE("sample", small_blocks, blocks_about_the_distance, large_blocks_are_nearly_exact,
	distances_are_exponential)
