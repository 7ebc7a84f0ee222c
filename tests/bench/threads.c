/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * threads.c - threads that free what others have allocated.
 *
 * usage: threads larson THREADS OPERATIONS        each owns an array of blocks, replaces random ones, and hands it on
 *                                                 to a thread that it starts before it ends
 *        threads xmalloc WORKERS OPERATIONS       so many allocate batches of blocks, and as many others free them
 *
 * An operation is an allocation and its free; OPERATIONS are those of all threads together. Prints how many there
 * were in a second.
 */
/* clang-format on */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCKS 5000 /* of an array */
#define TURN 100000 /* operations of a thread before it hands its array on */
#define BATCH 1000  /* blocks that are given away at once */
#define WAITING 16  /* batches for each worker, at the most */
#define LEAST 16    /* bytes */
#define MOST 500

struct array {
	void *blocks[BLOCKS];
	long left; /* operations */
	uint32_t random;
};

struct batch {
	struct batch *next;
	void *blocks[BATCH];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_ended = PTHREAD_COND_INITIALIZER;
static pthread_cond_t has_come = PTHREAD_COND_INITIALIZER;
static pthread_cond_t has_gone = PTHREAD_COND_INITIALIZER;
static pthread_attr_t attributes;
static struct batch *batches;
static long batches_waiting, batches_to_come, batches_each, workers;
static int running; /* threads, or arrays in the hands of one */

static void start(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, &attributes, function, argument) != 0)
		abort();
}

static void end(void)
{
	pthread_mutex_lock(&mutex);
	running--;
	pthread_cond_signal(&has_ended);
	pthread_mutex_unlock(&mutex);
}

static void wait_for_all(void)
{
	pthread_mutex_lock(&mutex);
	while (running > 0)
		pthread_cond_wait(&has_ended, &mutex);
	pthread_mutex_unlock(&mutex);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static __attribute__((noinline)) void *make(uint32_t *random)
{
	char *block = malloc(LEAST + next_random(random) % (MOST - LEAST + 1));

	if (!block)
		abort();
	block[0] = 1;
	return block;
}

/* ---- larson */

static void *replace(void *argument)
{
	struct array *a = argument;
	long turn = a->left < TURN ? a->left : TURN;

	for (long i = 0; i < turn; i++) {
		void **block = &a->blocks[next_random(&a->random) % BLOCKS];

		free(*block);
		*block = make(&a->random);
	}
	a->left -= turn;
	if (a->left > 0)
		start(replace, a);
	else
		end();
	return NULL;
}

static void larson(long threads, long operations)
{
	struct array *arrays = calloc((size_t)threads, sizeof(*arrays));

	if (!arrays)
		abort();
	running = (int)threads;
	for (long i = 0; i < threads; i++) {
		arrays[i].random = (uint32_t)i + 1;
		arrays[i].left = operations / threads;
		for (int k = 0; k < BLOCKS; k++)
			arrays[i].blocks[k] = make(&arrays[i].random);
	}
	for (long i = 0; i < threads; i++)
		start(replace, &arrays[i]);
	wait_for_all();
	for (long i = 0; i < threads; i++)
		for (int k = 0; k < BLOCKS; k++)
			free(arrays[i].blocks[k]);
	free(arrays);
}

/* ---- xmalloc */

static void put(struct batch *b)
{
	pthread_mutex_lock(&mutex);
	while (batches_waiting >= WAITING * workers)
		pthread_cond_wait(&has_gone, &mutex);
	b->next = batches;
	batches = b;
	batches_waiting++;
	pthread_cond_signal(&has_come);
	pthread_mutex_unlock(&mutex);
}

/* NULL: there won't be any more. */
static struct batch *get(void)
{
	struct batch *b;

	pthread_mutex_lock(&mutex);
	while (!batches && batches_to_come > 0)
		pthread_cond_wait(&has_come, &mutex);
	b = batches;
	if (b) {
		batches = b->next;
		batches_waiting--;
		pthread_cond_signal(&has_gone);
		if (--batches_to_come == 0)
			pthread_cond_broadcast(&has_come);
	}
	pthread_mutex_unlock(&mutex);
	return b;
}

static void *produce(void *seed)
{
	uint32_t random = (uint32_t)(uintptr_t)seed;

	for (long i = 0; i < batches_each; i++) {
		struct batch *b = malloc(sizeof(*b));

		if (!b)
			abort();
		for (int k = 0; k < BATCH; k++)
			b->blocks[k] = make(&random);
		put(b);
	}
	end();
	return NULL;
}

static void *consume(void *unused)
{
	struct batch *b;

	while ((b = get()) != NULL) {
		for (int k = 0; k < BATCH; k++)
			free(b->blocks[k]);
		free(b);
	}
	end();
	return unused;
}

static void xmalloc(long count, long operations)
{
	workers = count;
	batches_each = operations / BATCH / workers;
	batches_to_come = batches_each * workers;
	running = (int)(2 * workers);
	for (long i = 0; i < workers; i++) {
		start(produce, (void *)(uintptr_t)(i + 1));
		start(consume, NULL);
	}
	wait_for_all();
}

int main(int argc, char **argv)
{
	long threads = argc == 4 ? atol(argv[2]) : 0, operations = argc == 4 ? atol(argv[3]) : 0;
	struct timespec from, to;
	double seconds;

	if (threads < 1 || operations < threads || pthread_attr_init(&attributes) != 0 ||
		pthread_attr_setstacksize(&attributes, 256 << 10) != 0 ||
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (strcmp(argv[1], "larson") == 0)
		larson(threads, operations);
	else
		xmalloc(threads, operations);
	clock_gettime(CLOCK_MONOTONIC, &to);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	printf("%.0f operations per second\n", (double)operations / seconds);
	return 0;
}
