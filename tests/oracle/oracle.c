/* SPDX-License-Identifier: MIT */
/*
 * oracle.c - one thread, random operations at random call depths, and a ledger of what each line allocated.
 *
 * usage: oracle SEED OPERATIONS
 *
 * Prints the ledger; the trace's report by line must say the same, to the byte (see test_oracle.py).
 */
#include <stdint.h>
#include <stdio.h>

#include "climb.h"
#include "oracle.h"
#include "points.h"

#define BLOCKS 3000
#define DEEPEST 150

/* clang-format off */
POINT(by_malloc, malloc(size))
POINT(by_another_malloc, malloc(size))
INLINED_POINT(by_inlined_malloc, malloc(size))
POINT(by_calloc, calloc(1, size))
POINT(by_calloc_of_many, calloc(size, 3))
POINT(by_realloc, realloc(NULL, size))
POINT(by_reallocarray, reallocarray(NULL, size, 2))
POINT(by_memalign, memalign(32, size))
POINT(by_aligned_alloc, aligned_alloc(128, size))
POINT(by_valloc, valloc(size))
POINT(by_posix_memalign, ({ void *made; posix_memalign(&made, 64, size) ? NULL : made; }))
POINT(by_two_calls, size & 1 ? malloc(size) : calloc(size, 1))
POINT(resize, realloc(old, size))
POINT(resize_again, realloc(old, size))
INLINED_POINT(resize_inlined, realloc(old, size))
POINT(resize_array, reallocarray(old, size, 4))
/* clang-format on */

enum { WAYS = 12, RESIZES = 4 };

/* The index is the point's in the ledger. */
static const struct way ways[WAYS + RESIZES] = {
	WAY(by_malloc, 1),
	WAY(by_another_malloc, 1),
	WAY(by_inlined_malloc, 1),
	WAY(by_calloc, 1),
	WAY(by_calloc_of_many, 3),
	WAY(by_realloc, 1),
	WAY(by_reallocarray, 2),
	WAY(by_memalign, 1),
	WAY(by_aligned_alloc, 1),
	WAY(by_valloc, 1),
	WAY(by_posix_memalign, 1),
	WAY(by_two_calls, 1),
	WAY(resize, 1),
	WAY(resize_again, 1),
	WAY(resize_inlined, 1),
	WAY(resize_array, 4),
};

struct block {
	void *address;
	size_t size;
	int point;
};

static struct ledger ledger;
static struct block blocks[BLOCKS];
static uint64_t state;

/* Mostly small, sometimes large, now and then nothing. */
static size_t random_size(void)
{
	uint64_t dice = next_random(&state) % 100;

	if (dice < 2)
		return 0;
	if (dice < 80)
		return next_random(&state) % 128;
	if (dice < 98)
		return next_random(&state) % 4096;
	return next_random(&state) % 200000;
}

static void allocate(struct block *block, int point, size_t size)
{
	block->address = ways[point].call(NULL, size);
	block->size = size * ways[point].factor;
	block->point = point;
	if (block->address) /* mimalloc 3.0's valloc() fails now and then */
		ledger_allocated(&ledger, point, block->address, block->size);
}

static void release(struct block *block)
{
	ledger_freed(&ledger, block->point, block->address, block->size);
	free(block->address);
	block->address = NULL;
}

/* A new size, nothing (which frees), or far too much (which fails and changes nothing). */
static void resize_block(struct block *block, int point)
{
	struct block old = *block;
	size_t size = random_size();

	if (next_random(&state) % 50 == 0) {
		if (ways[point].call(block->address, PTRDIFF_MAX) != NULL)
			abort();
		return;
	}
	ledger_freed(&ledger, old.point, old.address, old.size);
	block->address = ways[point].call(old.address, size);
	block->size = size * ways[point].factor;
	block->point = point;
	if (block->address) /* of size 0 with some allocators */
		ledger_allocated(&ledger, point, block->address, block->size);
}

/* One operation. There are more allocations than frees in every second phase. */
static void operate(void *operation)
{
	struct block *block = &blocks[next_random(&state) % BLOCKS];
	uint64_t dice = next_random(&state) % 100;
	int growing = (*(const long *)operation / 5000) % 2 == 0;

	if (!block->address) {
		allocate(block, next_random(&state) % WAYS, random_size());
		if (block->address && dice < 20)
			release(block);
	} else if (dice < 30) {
		resize_block(block, WAYS + next_random(&state) % RESIZES);
	} else if (dice < (growing ? 40 : 95)) {
		release(block);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	long operations = atol(argv[2]);

	state = atol(argv[1]) * 0x9e3779b97f4a7c15 + 1;
	for (int i = 0; i < WAYS + RESIZES; i++)
		ledger.points[i].line = ways[i].line;
	for (long i = 0; i < operations; i++) {
		uint64_t path = next_random(&state);
		/* Half of the paths start with the same steps: the tracer meets known stacks, and new ones. */
		int depth = next_random(&state) % (path & 4 ? 8 : DEEPEST);

		climb(depth, path & 8 ? path : path & 0xff, operate, &i);
	}
	ledger_print(&ledger);
	return 0;
}
