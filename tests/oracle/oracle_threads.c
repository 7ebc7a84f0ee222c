/* SPDX-License-Identifier: MIT */
/*
 * oracle_threads.c - threads that allocate at random, free each other's blocks, and all meet at a known peak.
 *
 * usage: oracle_threads SEED THREADS OPERATIONS
 *
 * Each thread keeps a ledger; together they are printed, with the peak that all threads made together. Rounds of random
 * operations stay far below it.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "climb.h"
#include "oracle.h"
#include "points.h"

#define MAX_THREADS 1000
#define BOXES 1024
#define PEAK_BLOCKS 300 /* of each of up to 8 threads; of more, as many together */
#define PEAK_BYTES 40000 /* the size of one */
#define ROUNDS 3
#define SEEDS_APART 8

/* clang-format off */
POINT(by_malloc, malloc(size))
POINT(by_another_malloc, malloc(size))
POINT(by_calloc, calloc(1, size))
POINT(by_memalign, memalign(64, size))
POINT(to_the_peak, malloc(size))
POINT(resize, realloc(old, size))
/* clang-format on */

enum { WAYS = 4, PEAK = WAYS, RESIZE };

static const struct way ways[] = {
	WAY(by_malloc, 1),
	WAY(by_another_malloc, 1),
	WAY(by_calloc, 1),
	WAY(by_memalign, 1),
	WAY(to_the_peak, 1),
	WAY(resize, 1),
};

/* Whoever frees a block finds in it how it was made. */
struct block {
	size_t size;
	int point;
};

struct worker {
	pthread_t thread;
	uint64_t state;
	long operations;
	struct ledger ledger;
};

static struct worker workers[MAX_THREADS];
static int peak_blocks; /* of each */
static struct block *boxes[BOXES]; /* exchanged atomically */
static pthread_barrier_t barrier;

static struct block *allocate(struct worker *self, int point, size_t size)
{
	struct block *block = ways[point].call(NULL, size);

	block->size = size;
	block->point = point;
	ledger_allocated(&self->ledger, point, block, size);
	return block;
}

static void release(struct worker *self, struct block *block)
{
	if (block)
		ledger_freed(&self->ledger, block->point, block, block->size);
	free(block);
}

static struct block *resize_block(struct worker *self, struct block *block, size_t size)
{
	ledger_freed(&self->ledger, block->point, block, block->size);
	block = ways[RESIZE].call(block, size);
	block->size = size;
	block->point = RESIZE;
	ledger_allocated(&self->ledger, RESIZE, block, size);
	return block;
}

static struct block *exchange(int box, struct block *block)
{
	return __atomic_exchange_n(&boxes[box], block, __ATOMIC_ACQ_REL);
}

/* Puts a block into a box, or nothing, and frees or resizes what was there. */
static void operate(void *worker)
{
	struct worker *self = worker;
	uint64_t random = next_random(&self->state);
	int box = (random >> 32) % BOXES;
	size_t size = sizeof(struct block) + (random >> 8) % 2000;
	struct block *block = NULL;

	if (random % 100 < 55)
		block = allocate(self, random % WAYS, size);
	block = exchange(box, block);
	if (block && random % 100 > 90)
		block = exchange(box, resize_block(self, block, size + 500));
	release(self, block);
}

static void random_round(struct worker *self)
{
	for (long i = 0; i < self->operations; i++) {
		uint64_t path = next_random(&self->state);

		climb(path % 40, path & 64 ? path : path & 0xff, operate, self);
	}
}

/* The first worker empties the boxes; then all allocate, and free only after all have. */
static void meet_at_the_peak(struct worker *self)
{
	struct block *blocks[PEAK_BLOCKS];

	pthread_barrier_wait(&barrier);
	for (int i = 0; i < BOXES && self == workers; i++)
		release(self, exchange(i, NULL));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < peak_blocks; i++)
		blocks[i] = allocate(self, PEAK, PEAK_BYTES);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < peak_blocks; i++)
		release(self, blocks[i]);
	pthread_barrier_wait(&barrier);
}

static void *work(void *worker)
{
	for (int i = 0; i < ROUNDS; i++) {
		random_round(worker);
		meet_at_the_peak(worker);
	}
	random_round(worker);
	return NULL;
}

static void start(int threads, uint64_t seed, long operations)
{
	pthread_barrier_init(&barrier, NULL, threads);
	for (int i = 0; i < threads; i++) {
		workers[i].state = (seed * SEEDS_APART + i + 1) * 0x9e3779b97f4a7c15;
		workers[i].operations = operations;
		for (int j = 0; j < WAYS + 2; j++)
			workers[i].ledger.points[j].line = ways[j].line;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			abort();
	}
}

int main(int argc, char **argv)
{
	static struct ledger all;

	if (argc != 4)
		return 2;
	int threads = atoi(argv[2]);

	if (threads < 1 || threads > MAX_THREADS)
		return 2;
	peak_blocks = threads <= 8 ? PEAK_BLOCKS : 8 * PEAK_BLOCKS / threads;
	start(threads, atol(argv[1]), atol(argv[3]));
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		ledger_add(&all, &workers[i].ledger);
	}
	all.peak_bytes = (uint64_t)threads * peak_blocks * PEAK_BYTES;
	all.points[PEAK].peak_bytes = all.points[PEAK].at_peak_bytes = all.peak_bytes;
	ledger_print(&all);
	return 0;
}
