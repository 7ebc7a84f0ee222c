/* SPDX-License-Identifier: MIT */
/*
 * sampled.c - allocates in all ways, the same in every run: what estimates from samples are compared
 * with.
 *
 * Blocks of many sizes that stay, that grow by realloc, that live for a moment, of several threads
 * that free each other's, and some that are larger than the distance of samples. Memory grows to
 * one peak and falls from there.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 12000
#define GROWN 300
#define THREADS 3
#define EACH 4000
#define LARGE 24

static void *kept[KEPT], *grown[GROWN], *shared[THREADS * EACH], *large[LARGE];

/* Sizes from 1 to `most`, small ones more often. */
static size_t size_of(uint32_t n, size_t most)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	return 1 + (x >> 20) % most * ((x >> 50) % 100) / 100;
}

static void keep(void)
{
	for (uint32_t i = 0; i < KEPT; i++)
		kept[i] = i % 7 ? malloc(size_of(i, 2000)) : calloc(1, size_of(i, 2000));
}

static void grow(void)
{
	for (uint32_t i = 0; i < GROWN; i++) {
		for (size_t size = 10; size < size_of(i, 20000); size *= 2)
			grown[i] = realloc(grown[i], size);
	}
}

static void pass(void)
{
	for (uint32_t i = 0; i < 30000; i++)
		free(malloc(size_of(i, 500)));
}

static void *work(void *arg)
{
	uint32_t first = (uint32_t)(uintptr_t)arg * EACH;

	for (uint32_t i = first; i < first + EACH; i++) {
		shared[i] = malloc(size_of(i, 3000));
		if (i % 5 == 0)
			free(malloc(size_of(i, 300)));
	}
	return NULL;
}

static void share(void)
{
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	keep();
	pass();
	grow();
	share();
	for (uint32_t i = 0; i < LARGE; i++)
		large[i] = malloc(size_of(i, 1 << 20) + 10000);
	for (uint32_t i = 0; i < KEPT; i += 1 + (i % 3 == 0))
		free(kept[i]);
	for (uint32_t i = 0; i < GROWN; i += 2)
		free(grown[i]);
	for (uint32_t i = 0; i < THREADS * EACH; i += 2)
		free(shared[i]);
	for (uint32_t i = 0; i < LARGE; i += 2)
		free(large[i]);
	return 0;
}
