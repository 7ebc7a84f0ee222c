/* SPDX-License-Identifier: MIT */
/*
 * numbers.c - small blocks that live short: factors by arithmetic on numbers of any size.
 *
 * usage: numbers TIMES
 *
 * Each result is a block of its own, and so are what a sum, product or remainder needs on its way;
 * a few instructions pass between two allocations. Factors the square of a prime by Pollard's rho.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE_BITS 16
#define BASE_MASK 0xffffu

struct number {
	int length; /* digits in use, the least first */
	uint16_t digits[];
};

static __attribute__((noinline)) struct number *new (int length)
{
	struct number *n = malloc(sizeof(*n) + sizeof(n->digits[0]) * (size_t)(length + 1));

	if (!n)
		abort();
	n->length = length;
	memset(n->digits, 0, sizeof(n->digits[0]) * (size_t)(length + 1));
	return n;
}

static struct number *trimmed(struct number *n)
{
	while (n->length > 0 && n->digits[n->length - 1] == 0)
		n->length--;
	return n;
}

static __attribute__((noinline)) struct number *from(uint64_t value)
{
	struct number *n = new (4);

	for (int i = 0; i < 4; i++)
		n->digits[i] = (uint16_t)(value >> BASE_BITS * i);
	return trimmed(n);
}

static __attribute__((noinline)) struct number *copy(const struct number *a)
{
	struct number *n = new (a->length);

	memcpy(n->digits, a->digits, sizeof(n->digits[0]) * (size_t)a->length);
	return n;
}

static int compare(const struct number *a, const struct number *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	for (int i = a->length - 1; i >= 0; i--)
		if (a->digits[i] != b->digits[i])
			return a->digits[i] < b->digits[i] ? -1 : 1;
	return 0;
}

static __attribute__((noinline)) struct number *sum(const struct number *a, const struct number *b)
{
	int length = (a->length > b->length ? a->length : b->length) + 1;
	struct number *n = new (length);
	uint32_t carry = 0;

	for (int i = 0; i < length; i++) {
		carry += (i < a->length ? a->digits[i] : 0u) + (i < b->length ? b->digits[i] : 0u);
		n->digits[i] = (uint16_t)carry;
		carry >>= BASE_BITS;
	}
	return trimmed(n);
}

/* a is no less than b. */
static __attribute__((noinline)) struct number *difference(
	const struct number *a, const struct number *b)
{
	struct number *n = copy(a);
	int32_t borrow = 0;

	for (int i = 0; i < a->length; i++) {
		borrow += a->digits[i] - (i < b->length ? b->digits[i] : 0);
		n->digits[i] = (uint16_t)borrow;
		borrow >>= BASE_BITS;
	}
	return trimmed(n);
}

static __attribute__((noinline)) struct number *product(
	const struct number *a, const struct number *b)
{
	struct number *n = new (a->length + b->length);

	for (int i = 0; i < a->length; i++) {
		uint32_t carry = 0;

		for (int k = 0; k < b->length; k++) {
			carry += n->digits[i + k] + (uint32_t)a->digits[i] * b->digits[k];
			n->digits[i + k] = (uint16_t)carry;
			carry >>= BASE_BITS;
		}
		n->digits[i + b->length] = (uint16_t)carry;
	}
	return trimmed(n);
}

static __attribute__((noinline)) struct number *shifted(const struct number *a, int bits)
{
	int digits = bits / BASE_BITS;
	struct number *n = new (a->length + digits + 1);
	uint32_t carry = 0;

	for (int i = 0; i < a->length; i++) {
		carry |= (uint32_t)a->digits[i] << bits % BASE_BITS;
		n->digits[i + digits] = (uint16_t)carry;
		carry >>= BASE_BITS;
	}
	n->digits[a->length + digits] = (uint16_t)carry;
	return trimmed(n);
}

static int width(const struct number *a)
{
	return a->length == 0
		       ? 0
		       : BASE_BITS * a->length - __builtin_clz(a->digits[a->length - 1]) + 16;
}

/* Halves what is left to subtract at each level. */
static __attribute__((noinline)) struct number *remainder_of(
	const struct number *a, const struct number *m)
{
	int over = width(a) - width(m);
	struct number *multiple, *less, *rest;

	if (compare(a, m) < 0)
		return copy(a);
	multiple = shifted(m, over);
	if (compare(multiple, a) > 0) {
		free(multiple);
		multiple = shifted(m, over - 1);
	}
	less = difference(a, multiple);
	rest = remainder_of(less, m);
	free(multiple);
	free(less);
	return rest;
}

static __attribute__((noinline)) struct number *divisor_of(
	const struct number *a, const struct number *b)
{
	struct number *rest, *divisor;

	if (b->length == 0)
		return copy(a);
	rest = remainder_of(a, b);
	divisor = divisor_of(b, rest);
	free(rest);
	return divisor;
}

/* x * x + c modulo n */
static __attribute__((noinline)) struct number *next_of(
	struct number *x, const struct number *c, const struct number *n)
{
	struct number *square = product(x, x), *more = sum(square, c),
		      *next = remainder_of(more, n);

	free(square);
	free(more);
	free(x);
	return next;
}

static __attribute__((noinline)) struct number *factor(const struct number *n, uint64_t seed)
{
	struct number *slow = from(2), *fast = from(2), *c = from(seed), *one = from(1),
		      *found = NULL;

	while (!found) {
		struct number *apart;

		slow = next_of(slow, c, n);
		fast = next_of(next_of(fast, c, n), c, n);
		apart = compare(slow, fast) < 0 ? difference(fast, slow) : difference(slow, fast);
		found = divisor_of(n, apart);
		free(apart);
		if (compare(found, one) == 0) {
			free(found);
			found = NULL;
		}
	}
	free(slow);
	free(fast);
	free(c);
	free(one);
	return found;
}

int main(int argc, char **argv)
{
	struct number *n = from(1000003ull * 1000033ull);

	if (argc != 2)
		return 2;
	for (long times = atol(argv[1]), i = 0; i < times; i++) {
		struct number *found = factor(n, (uint64_t)i + 1);

		if (found->length == 0)
			return 1;
		free(found);
	}
	free(n);
	return 0;
}
