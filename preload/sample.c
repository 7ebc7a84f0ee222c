/*
 * sample.c - distances and weights for sampling. The one file with floating point; without libm,
 * which would be loaded into every traced program.
 */
#include "preload/sample.h"

static double mean_bytes;

void sample_init(uint64_t mean)
{
	mean_bytes = (double)mean;
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

int64_t sample_distance(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return (int64_t)(-logarithm(fraction(mix(*state))) * mean_bytes) + 1;
}

/* Up or down, so that the mean over all addresses is right. */
static uint64_t round_by(double x, uint64_t random)
{
	uint64_t whole = (uint64_t)x;

	return whole + (fraction(random) < x - (double)whole);
}

struct weight sample_weight(const void *block, uint64_t size)
{
	double weight = 1 / complement((double)size / mean_bytes);
	uint64_t random = mix((uint64_t)(uintptr_t)block ^ size << 48);
	double blocks = weight < UINT32_MAX ? weight : UINT32_MAX;
	struct weight w = {
		round_by((double)size * weight, random),
		(uint32_t)round_by(blocks, mix(random)),
	};

	return w;
}
