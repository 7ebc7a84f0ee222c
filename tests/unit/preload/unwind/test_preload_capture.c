/* SPDX-License-Identifier: MIT */
/* test_preload_capture.c - the sum that proves a stack, against a plain one, and with any word changed. */
#include "fixture.h"

#include "preload/unwind/capture.h"

#define STACK_WORDS 4000
#define ROUNDS 300

static uintptr_t stack[STACK_WORDS];
static struct successor successors[4];
static struct successor_tail tails[4];
static struct cached_frame base;
static struct thread thread = { .successors = successors, .tails = tails };

static uint64_t some_word(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static uint16_t *word(struct successor *s, uint32_t i)
{
	return i < SUCCESSOR_WORDS ? &s->words[i]
				   : &tails[s - successors].words[i - SUCCESSOR_WORDS];
}

static struct successor *some_successor(struct cpu_frame *at)
{
	struct successor *s = &successors[rand() % 4];
	uint32_t lengths[] = { SUCCESSOR_FEW, SUCCESSOR_WORDS,
		SUCCESSOR_WORDS + 4 * (1 + (uint32_t)rand() % (SUCCESSOR_MORE / 4)),
		SUCCESSOR_MOST };

	for (int i = 0; i < STACK_WORDS; i++)
		stack[i] = some_word();
	s->read = (uint8_t)lengths[rand() % 4];
	s->uses_bp = rand() % 2;
	for (uint32_t i = 0; i < s->read; i++)
		*word(s, i) = (uint16_t)(50 * i + (uint32_t)rand() % 50);
	base.identity = some_word();
	*at = (struct cpu_frame){ (uintptr_t)stack, some_word(), some_word() };
	return s;
}

static uint64_t plain_sum(struct successor *s, struct cpu_frame at)
{
	uint64_t sum = base.identity + at.pc * capture_factors[0];

	if (s->uses_bp)
		sum += at.bp * capture_factors[1];
	for (uint32_t i = 0; i < s->read; i++)
		sum += stack[*word(s, i)] * capture_factors[2 + i];
	return sum;
}

static bool changes(struct successor *s, struct cpu_frame at, uint64_t *word)
{
	uint64_t before = capture_proof(&thread, s, at, &base), after;

	*word ^= 1ull << rand() % 64;
	after = capture_proof(&thread, s, at, &base);
	return before != after;
}

START_TEST(proof_is_of_each_word)
{
	struct cpu_frame at;

	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		struct successor *s = some_successor(&at);

		ck_assert_uint_eq(capture_proof(&thread, s, at, &base), plain_sum(s, at));
		for (uint32_t k = 0; k < s->read; k++)
			ck_assert(changes(s, at, &stack[*word(s, k)]));
		ck_assert(changes(s, at, &base.identity));
		ck_assert_uint_eq(capture_proof(&thread, s, at, &base), plain_sum(s, at));
	}
}
END_TEST

START_TEST(proof_is_of_the_innermost_frame)
{
	struct cpu_frame at, other;

	srand(2);
	for (int i = 0; i < ROUNDS; i++) {
		struct successor *s = some_successor(&at);
		uint64_t proof = capture_proof(&thread, s, at, &base);

		other = at;
		other.pc ^= 1ull << rand() % 64;
		ck_assert_uint_ne(capture_proof(&thread, s, other, &base), proof);
		other = at;
		other.bp ^= 1ull << rand() % 64;
		ck_assert_int_eq(capture_proof(&thread, s, other, &base) != proof, s->uses_bp);
	}
}
END_TEST

/* No two alike, and each odd. */
START_TEST(factors_are_good)
{
	for (int i = 0; i < SUCCESSOR_MOST + 2; i++) {
		ck_assert_uint_eq(capture_factors[i] & 1, 1);
		for (int k = 0; k < i; k++)
			ck_assert_uint_ne(capture_factors[i], capture_factors[k]);
	}
}
END_TEST

UNIT_SUITE("capture", proof_is_of_each_word, proof_is_of_the_innermost_frame, factors_are_good)
