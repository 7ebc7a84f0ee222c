/* SPDX-License-Identifier: MIT */
/*
 * sample.c - distances and weights for sampling. The one file with floating point; without libm,
 * which would be loaded into every traced program.
 */
#include "preload/store/sample.h"

static double mean_bytes;

__thread uint64_t sample_left __attribute__((tls_model("initial-exec")));
uint8_t sample_filter[1 << SAMPLE_FILTER_BITS];

void sample_init(uint64_t mean)
{
	mean_bytes = (double)mean;
	for (size_t i = 0; i < sizeof(sample_filter); i++)
		sample_filter[i] = 1;
}

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* In (0, 1). */
static double fraction(uint64_t random)
{
	return ((double)(random >> 11) + 0.5) * 0x1p-53;
}

/* Natural logarithm of x > 0: exponent and mantissa apart, then the series of atanh. */
static double logarithm(double x)
{
	union {
		double d;
		uint64_t u;
	} v = { x };
	int exponent = (int)(v.u >> 52) - 1023;
	double m, t, sum = 0;

	v.u = (v.u & 0xfffffffffffffull) | 1023ull << 52;
	m = v.d; /* in [1, 2) */
	if (m > 1.4142135623730951) {
		m /= 2;
		exponent++;
	}
	t = (m - 1) / (m + 1); /* |t| < 0.172: 10 terms are exact to the last bit or two */
	for (int k = 19; k > 0; k -= 2)
		sum = sum * t * t + 1.0 / k;
	return 2 * t * sum + exponent * 0.6931471805599453;
}

/* 1 - exp(-x) for x >= 0, without loss for small x. */
static double complement(double x)
{
	double term = x, sum = 0;

	if (x > 40)
		return 1;
	if (x > 0.5) { /* 1 - e^-x = 1 - (1 - (1 - e^(-x/2)))^2 */
		double half = complement(x / 2);

		return half * (2 - half);
	}
	for (int k = 1; k < 20; k++) {
		sum += term;
		term *= -x / (k + 1);
	}
	return sum;
}

uint64_t sample_state(uint64_t seed, uint32_t lane)
{
	return mix(seed) + lane;
}

int64_t sample_distance(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return (int64_t)(-logarithm(fraction(mix(*state))) * mean_bytes) + 1;
}

/* What a block of this size is recorded with. */
static double chance(uint64_t size)
{
	return complement((double)(size | SAMPLE_LEAST) / mean_bytes);
}

struct weight sample_weight(uint64_t size)
{
	double weight = 1 / chance(size), blocks = weight * SAMPLE_UNIT + 0.5;
	struct weight w = {
		(uint64_t)((double)size * weight + 0.5),
		(uint32_t)(blocks < INT32_MAX ? blocks : INT32_MAX),
	};

	return w;
}

static void add(double *sum, double more)
{
	union {
		double d;
		uint64_t u;
	} old, new;
	uint64_t *bits = (uint64_t *)(void *)sum;

	old.u = load_relaxed(bits);
	do
		new.d = old.d + more;
	while (!compare_exchange_weak_relaxed(bits, &old.u, new.u));
}

void sample_vary(struct mt_estimate *e, uint64_t size, enum sample_event event)
{
	double p = chance(size), blocks = (1 - p) / p / p;
	double bytes = (double)size * (double)size * blocks;

	if (event == SAMPLE_NEW) {
		add(&e->allocated_bytes, bytes);
		add(&e->allocations, blocks);
	} else {
		bytes = -bytes;
		blocks = -blocks;
		if (event == SAMPLE_TEMPORARY)
			add(&e->temporary, -blocks);
	}
	add(&e->current_bytes, bytes);
	add(&e->current_blocks, blocks);
}

void sample_save_at_peak(struct mt_estimate *e)
{
	e->at_peak_bytes = e->current_bytes;
}

/* ---- the filter */

static void filter_change(const void *block, int by)
{
	uint8_t *n = &sample_filter[sample_filter_index(block)];
	uint8_t old = load_relaxed(n);

	while (old != UINT8_MAX && !compare_exchange_weak_relaxed(n, &old, (uint8_t)(old + by)))
		;
}

void sample_filter_add(const void *block)
{
	filter_change(block, 1);
}

void sample_filter_remove(const void *block)
{
	filter_change(block, -1);
}
