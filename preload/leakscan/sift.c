/* SPDX-License-Identifier: MIT */
/*
 * sift.c - one word after the other, or by the vector registers of the CPU.
 *
 * Is in a range: start <= w < start + size. Vectors are compared as signed numbers, so the range is
 * moved to the lowest of them: w - start + INT64_MIN < size + INT64_MIN.
 */
#include "preload/leakscan/sift.h"
#include "preload/sys/glibc.h"

size_t sift_plain(
	const uintptr_t *words, size_t count, const struct sift_range ranges[2], uintptr_t *found)
{
	struct sift_range a = ranges[0], b = ranges[1];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		uintptr_t word = words[i];

		found[used] = word;
		used += (word - a.start < a.size) | (word - b.start < b.size);
	}
	return used;
}

#ifdef __x86_64__
#include <immintrin.h>
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
/* The C library has asked the CPU, which costs microseconds in a virtual machine. */
#define CPU_HAS(feature, name) CPU_FEATURE_ACTIVE(feature)
#else /* glibc < 2.33 */
#define CPU_HAS(feature, name) __builtin_cpu_supports(name)
#endif

#define BY_AVX2 __attribute__((target("avx2,popcnt")))
#define LANES 4 /* words in a vector */
#define STEP (4 * LANES)

struct limits {
	__m256i offset[2], end[2];
};

/* The lanes of the words that are set in the mask, in front: as halves of words. */
#define LANE(n) 2 * (n), 2 * (n) + 1
static const uint32_t fronts[16][8] __attribute__((aligned(32))) = {
	{ 0 },
	{ LANE(0) },
	{ LANE(1) },
	{ LANE(0), LANE(1) },
	{ LANE(2) },
	{ LANE(0), LANE(2) },
	{ LANE(1), LANE(2) },
	{ LANE(0), LANE(1), LANE(2) },
	{ LANE(3) },
	{ LANE(0), LANE(3) },
	{ LANE(1), LANE(3) },
	{ LANE(0), LANE(1), LANE(3) },
	{ LANE(2), LANE(3) },
	{ LANE(0), LANE(2), LANE(3) },
	{ LANE(1), LANE(2), LANE(3) },
	{ LANE(0), LANE(1), LANE(2), LANE(3) },
};

static inline BY_AVX2 __m256i in_ranges(__m256i words, const struct limits *l)
{
	__m256i a = _mm256_cmpgt_epi64(l->end[0], _mm256_add_epi64(words, l->offset[0]));
	__m256i b = _mm256_cmpgt_epi64(l->end[1], _mm256_add_epi64(words, l->offset[1]));

	return _mm256_or_si256(a, b);
}

static inline BY_AVX2 size_t keep(__m256i words, __m256i in, uintptr_t *found)
{
	unsigned mask = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(in));
	__m256i order = _mm256_load_si256((const __m256i *)fronts[mask]);

	_mm256_storeu_si256((__m256i *)found, _mm256_permutevar8x32_epi32(words, order));
	return (size_t)__builtin_popcount(mask);
}

static BY_AVX2 size_t sift_avx2(
	const uintptr_t *words, size_t count, const struct sift_range ranges[2], uintptr_t *found)
{
	struct limits l;
	size_t used = 0, i = 0;

	for (int k = 0; k < 2; k++) {
		l.offset[k] = _mm256_set1_epi64x(INT64_MIN - (int64_t)ranges[k].start);
		l.end[k] = _mm256_set1_epi64x(INT64_MIN + (int64_t)ranges[k].size);
	}
	for (; i + STEP <= count; i += STEP) {
		const __m256i *p = (const __m256i *)&words[i];
		__m256i w0 = _mm256_loadu_si256(p), w1 = _mm256_loadu_si256(p + 1);
		__m256i w2 = _mm256_loadu_si256(p + 2), w3 = _mm256_loadu_si256(p + 3);
		__m256i in0 = in_ranges(w0, &l), in1 = in_ranges(w1, &l);
		__m256i in2 = in_ranges(w2, &l), in3 = in_ranges(w3, &l);
		__m256i any = _mm256_or_si256(_mm256_or_si256(in0, in1), _mm256_or_si256(in2, in3));

		if (_mm256_testz_si256(any, any))
			continue;
		used += keep(w0, in0, found + used);
		used += keep(w1, in1, found + used);
		used += keep(w2, in2, found + used);
		used += keep(w3, in3, found + used);
	}
	for (; i + LANES <= count; i += LANES) {
		__m256i w = _mm256_loadu_si256((const __m256i *)&words[i]);

		used += keep(w, in_ranges(w, &l), found + used);
	}
	return used + sift_plain(words + i, count - i, ranges, found + used);
}

sift_fn *sift_for_cpu(void)
{
	return CPU_HAS(AVX2, "avx2") && CPU_HAS(POPCNT, "popcnt") ? sift_avx2 : sift_plain;
}
#else
sift_fn *sift_for_cpu(void)
{
	return sift_plain;
}
#endif
