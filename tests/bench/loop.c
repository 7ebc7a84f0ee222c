/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * loop.c - pairs of malloc and free at the end of a chain of calls.
 *
 * usage: loop DEPTH THREADS PAIRS [MODE]          each thread does PAIRS
 *
 *   own     the first thread is the program's, so that each has call stacks of its own (the default)
 *   same    all are made for it, so their call stacks are the same
 *   swap    and each frees what another allocated, a thousand blocks at a time
 */
/* clang-format on */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 16
#define BATCH 1000

static int depth, threads;
static long pairs;
static void *shelves[THREADS][BATCH];
static pthread_barrier_t all_are_done;

static __attribute__((noinline)) void *make(size_t size)
{
	void *block = malloc(size);

	__asm__ volatile("" : "+r"(block));
	return block;
}

static size_t next_size(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % 256;
}

static __attribute__((noinline)) void churn(int me)
{
	unsigned state = 1;

	(void)me;
	for (long i = 0; i < pairs; i++)
		free(make(next_size(&state)));
}

static __attribute__((noinline)) void swap(int me)
{
	void **mine = shelves[me], **others = shelves[(me + 1) % threads];
	unsigned state = 1;

	for (long i = 0; i < pairs; i += BATCH) {
		for (int k = 0; k < BATCH; k++)
			mine[k] = make(next_size(&state));
		pthread_barrier_wait(&all_are_done);
		for (int k = 0; k < BATCH; k++)
			free(others[k]);
		pthread_barrier_wait(&all_are_done);
	}
}

/* The asm keeps the recursion from becoming a loop. */
static __attribute__((noinline)) void descend(int levels, void (*work)(int me), int me)
{
	volatile char frame[24];

	frame[0] = levels;
	if (levels > 0)
		descend(levels - 1, work, me);
	else
		work(me);
	__asm__ volatile("" : : "m"(frame));
}

/* The depth counts make, churn, and those below. */
static void *work_alone(void *me)
{
	descend(depth - 4, churn, (int)(size_t)me);
	return NULL;
}

static void *work_together(void *me)
{
	descend(depth - 4, swap, (int)(size_t)me);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *mode = argc == 5 ? argv[4] : "own";
	void *(*work)(void *) = strcmp(mode, "swap") == 0 ? work_together : work_alone;
	int first = strcmp(mode, "own") == 0;
	pthread_t others[THREADS];

	if (argc != 4 && argc != 5)
		return 2;
	depth = atoi(argv[1]);
	threads = atoi(argv[2]);
	pairs = atol(argv[3]);
	if (threads < 1 || threads > THREADS ||
		pthread_barrier_init(&all_are_done, NULL, (unsigned)threads) != 0)
		return 2;
	for (int i = first; i < threads; i++) {
		if (pthread_create(&others[i], NULL, work, (void *)(size_t)i) != 0)
			return 1;
	}
	if (first)
		work(NULL);
	for (int i = first; i < threads; i++)
		pthread_join(others[i], NULL);
	return 0;
}
