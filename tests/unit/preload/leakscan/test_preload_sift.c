/* SPDX-License-Identifier: MIT */
/* test_preload_sift.c - what the CPU's vectors find in random words is what a plain loop finds. */
#include "unit.h"

#include "preload/leakscan/sift.h"

#include <stdbool.h>

#define MOST 600
#define UNTOUCHED 0x5555555555555555ul

static uintptr_t some_word(const struct sift_range ranges[2])
{
	const struct sift_range *r = &ranges[rand() % 2];
	uintptr_t near = (uintptr_t)(rand() % 5) - 2;

	switch (rand() % 6) {
	case 0:
		return r->start + near;
	case 1:
		return r->start + r->size + near;
	case 2:
		return r->start + (r->size ? (uintptr_t)rand() * 4099 % r->size : 0);
	case 3:
		return (uintptr_t)rand() << 33 ^ (uintptr_t)rand() << 10;
	case 4:
		return near;
	default:
		return 0;
	}
}

static struct sift_range some_range(void)
{
	static const uintptr_t starts[] = { 0, 8, 0xa08b300, 0x555555559000, 0x7ffff7c00010,
		1ul << 63, UINTPTR_MAX - 100, UINTPTR_MAX };
	static const uintptr_t sizes[] = { 0, 1, 8, 4096, 57 << 20, 1ul << 46, 100 };
	struct sift_range r = { starts[rand() % 8], sizes[rand() % 7] };

	if (r.size > UINTPTR_MAX - r.start)
		r.size = 0;
	return r;
}

static bool is_in(uintptr_t word, const struct sift_range *r)
{
	return word >= r->start && word < r->start + r->size;
}

static void check(sift_fn *sift)
{
	uintptr_t words[MOST], found[MOST + SIFT_SPARE + 1];
	struct sift_range ranges[2] = { some_range(), some_range() };
	size_t count = (size_t)rand() % (MOST + 1), used = 0, got;

	for (size_t i = 0; i < count; i++)
		words[i] = some_word(ranges);
	found[count + SIFT_SPARE] = UNTOUCHED;
	got = sift(words, count, ranges, found);
	for (size_t i = 0; i < count; i++)
		if (is_in(words[i], &ranges[0]) || is_in(words[i], &ranges[1]))
			ck_assert_uint_eq(found[used++], words[i]);
	ck_assert_uint_eq(got, used);
	ck_assert_uint_eq(found[count + SIFT_SPARE], UNTOUCHED);
}

START_TEST(plain)
{
	for (int i = 0; i < 1000; i++)
		check(sift_plain);
}
END_TEST

START_TEST(for_cpu)
{
	for (int i = 0; i < 5000; i++)
		check(sift_for_cpu());
}
END_TEST

UNIT_SUITE("sift", plain, for_cpu)
