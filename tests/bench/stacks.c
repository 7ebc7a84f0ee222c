/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - pairs of malloc and free, each on another stack than the one before.
 *
 * usage: stacks COUNT DEPTH cycle|random PAIRS
 *
 * COUNT stacks of DEPTH frames. Each frame below main's is one of eight functions, with frames of
 * four sizes, and which one it is differs from stack to stack: 7 of 8 frames of two stacks differ.
 * The stacks come one after the other again and again, or in random order.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 256

static int depth;
static unsigned char *ways; /* of stack n, from n * depth */

typedef void descend(const unsigned char *way, const unsigned char *end);

static descend step_0, step_1, step_2, step_3, step_4, step_5, step_6, step_7;
static descend *const steps[] = { step_0, step_1, step_2, step_3, step_4, step_5, step_6, step_7 };

/* Something stands behind each call, so that none is a jump. */
#define STEP(name, words)                                           \
	static __attribute__((noinline)) void name(                 \
		const unsigned char *way, const unsigned char *end) \
	{                                                           \
		volatile long frame[words];                         \
                                                                    \
		frame[0] = 0;                                       \
		if (way == end)                                     \
			free(make());                               \
		else                                                \
			steps[*way](way + 1, end);                  \
		__asm__ volatile("" : : "m"(frame));                \
	}

static __attribute__((noinline)) void *make(void)
{
	void *block = malloc(40);

	__asm__ volatile("" : "+r"(block));
	return block;
}

STEP(step_0, 1)
STEP(step_1, 1)
STEP(step_2, 3)
STEP(step_3, 3)
STEP(step_4, 5)
STEP(step_5, 5)
STEP(step_6, 9)
STEP(step_7, 9)

static unsigned next_random(void)
{
	static unsigned long long state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33);
}

int main(int argc, char **argv)
{
	long count, pairs, next = 0;
	bool random;

	if (argc != 5)
		return 2;
	count = atol(argv[1]);
	depth = atoi(argv[2]) - 2; /* main's and make's are the others */
	random = strcmp(argv[3], "random") == 0;
	pairs = atol(argv[4]);
	if (count < 1 || depth < 1 || depth > DEPTH_MOST)
		return 2;
	ways = malloc((size_t)count * (size_t)depth);
	if (!ways)
		return 1;
	for (long i = 0; i < count * depth; i++)
		ways[i] = next_random() % 8;
	for (long i = 0; i < pairs; i++) {
		const unsigned char *way = ways + next * depth;

		steps[*way](way + 1, way + depth);
		next = random ? next_random() % count : (next + 1) % count;
	}
	return 0;
}
