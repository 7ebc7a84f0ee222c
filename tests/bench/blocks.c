/* SPDX-License-Identifier: MIT */
/*
 * blocks.c - many threads that allocate and free blocks of one size.
 *
 * usage: blocks THREADS SIZE PAIRS                each thread does PAIRS, all begin at once
 */
#include <pthread.h>
#include <stdlib.h>

static size_t size;
static long pairs;
static pthread_barrier_t all_are_there;

static __attribute__((noinline)) void *work(void *unused)
{
	pthread_barrier_wait(&all_are_there);
	for (long i = 0; i < pairs; i++) {
		void *block = malloc(size);

		__asm__ volatile("" : "+r"(block));
		free(block);
	}
	return unused;
}

int main(int argc, char **argv)
{
	unsigned threads = argc == 4 ? (unsigned)atoi(argv[1]) : 0;
	pthread_t *all = calloc(threads, sizeof(*all));
	pthread_attr_t attributes;

	if (threads == 0 || !all || pthread_attr_init(&attributes) != 0 ||
		pthread_attr_setstacksize(&attributes, 256 << 10) != 0)
		return 2;
	size = (size_t)atol(argv[2]);
	pairs = atol(argv[3]);
	if (pthread_barrier_init(&all_are_there, NULL, threads) != 0)
		return 2;
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&all[i], &attributes, work, NULL) != 0)
			return 1;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	free(all);
	return 0;
}
