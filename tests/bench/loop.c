/*
 * loop.c - pairs of malloc and free at the end of a chain of calls.
 *
 * usage: loop DEPTH THREADS PAIRS          each thread does PAIRS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int depth;
static long pairs;

static __attribute__((noinline)) void *make(size_t size)
{
	void *block = malloc(size);

	__asm__ volatile("" : "+r"(block));
	return block;
}

static __attribute__((noinline)) void churn(void)
{
	unsigned size = 1;

	for (long i = 0; i < pairs; i++) {
		size = size * 1103515245 + 12345;
		free(make((size >> 16) % 256));
	}
}

/* The asm keeps the recursion from becoming a loop. */
static __attribute__((noinline)) void descend(int levels)
{
	volatile char frame[24];

	frame[0] = levels;
	if (levels > 0)
		descend(levels - 1);
	else
		churn();
	__asm__ volatile("" : : "m"(frame));
}

static void *work(void *unused)
{
	descend(depth - 4); /* make, churn, and those below */
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t others[16];

	if (argc != 4)
		return 2;
	depth = atoi(argv[1]);
	int threads = atoi(argv[2]);

	pairs = atol(argv[3]);
	if (threads < 1 || threads > 16)
		return 2;
	for (int i = 1; i < threads; i++) {
		if (pthread_create(&others[i], NULL, work, NULL) != 0)
			return 1;
	}
	work(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	return 0;
}
