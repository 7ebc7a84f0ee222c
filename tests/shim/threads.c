/* SPDX-License-Identifier: MIT */
/*
 * threads.c - threads that come and go: what they allocate, what others free, what their destructors do.
 */
#include <pthread.h>

#include "program.h"

#define THREADS 8
#define ROUNDS 1000
#define GENERATIONS 50

static pthread_key_t key;

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
	CHECK(pthread_create(thread, NULL, function, argument) == 0);  //= any
}

/* A key's destructor may allocate, and set the key again: glibc calls it up to four times. */
static void destructor(void *value)
{
	size_t calls = (size_t)value;

	free(malloc(24));  //= count 1200, total 28800
	if (calls < 3)
		CHECK(pthread_setspecific(key, (void *)(calls + 1)) == 0);
}

static void *gives(void *unused)
{
	void **blocks = malloc(ROUNDS * sizeof(*blocks));  //= count 8, total 64000

	for (int i = 0; i < ROUNDS; i++) {
		free(malloc(i));  //= count 8000, total 3996000
		blocks[i] = malloc(32);  //= count 8000, total 256000
	}
	return blocks;
}

/* The first thread frees what the others allocated. */
static void many_at_once(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		start(&threads[i], gives, NULL);
	for (int i = 0; i < THREADS; i++) {
		void **blocks;

		CHECK(pthread_join(threads[i], (void **)&blocks) == 0);
		for (int j = 0; j < ROUNDS; j++)
			free(blocks[j]);
		free(blocks);
	}
}

static void *passing(void *leak)
{
	CHECK(pthread_setspecific(key, (void *)(size_t)1) == 0);
	if (leak)
		CHECK(malloc(100));  //= count 200, total 20000, current 20000, blocks 200
	free(malloc(200));  //= count 400, total 80000
	return NULL;
}

/* Generations of threads: their ids, stacks and the tracer's own state for them are used again. */
static void one_after_the_other(void)
{
	for (int i = 0; i < GENERATIONS; i++) {
		pthread_t threads[THREADS];

		for (int j = 0; j < THREADS; j++)
			start(&threads[j], passing, j % 2 ? &key : NULL);
		for (int j = 0; j < THREADS; j++)
			CHECK(pthread_join(threads[j], NULL) == 0);
	}
}

static void *cancelled(void *unused)
{
	free(malloc(60));  //= count 1, total 60
	for (;;)
		pthread_testcancel();
	return NULL;
}

static void cancel_one(void)
{
	pthread_t thread;

	start(&thread, cancelled, NULL);
	CHECK(pthread_cancel(thread) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
}

/* A block that another thread frees is temporary too, if its own has allocated nothing since. */
static pthread_barrier_t turn;
static void *box, *earlier;

static void *hands_over(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		box = malloc(100);  //= count 1000, total 100000, temporary 1000
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		earlier = malloc(50);  //= count 1000, total 50000, temporary 0
	}
	free(malloc(30));  //= count 1, total 30, temporary 1
	free(earlier);
	return NULL;
}

static void take_over(void)
{
	pthread_t thread;

	CHECK(pthread_barrier_init(&turn, NULL, 2) == 0);
	start(&thread, hands_over, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&turn);
		free(box);
		if (i)
			free(earlier);
		pthread_barrier_wait(&turn);
	}
	CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
	CHECK(pthread_key_create(&key, destructor) == 0);
	many_at_once();
	one_after_the_other();
	cancel_one();
	take_over();
	puts("done");
	return 0;
}
