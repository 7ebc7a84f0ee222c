/* SPDX-License-Identifier: MIT */
/*
 * thread_ends.c - threads that end in every way, tens of thousands of them (a million in the long test): what their
 * last destructors do counts, their state in the tracer is used again, and the trace doesn't grow with their number.
 *
 * usage: thread_ends [THOUSANDS] | held
 *
 * With `held`, threads that end but don't get to their end are between others that have: the states of these are used
 * again all the same.
 */
#include <limits.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>

#include <pthread.h>

#include "../driver/threads.h"
#include "program.h"

static pthread_key_t keys[4];
static sem_t ended;

/* Sets another key in each round, so that the last ones run in the last round. */
static void destructor(void *value)
{
	size_t round = (size_t)value;

	free(malloc(24)); /* line: destructor */
	if (round < PTHREAD_DESTRUCTOR_ITERATIONS)
		CHECK(pthread_setspecific(keys[round % 4], (void *)(round + 1)) == 0);
}

static void *passing(void *block)
{
	CHECK(pthread_setspecific(keys[0], (void *)1) == 0);
	free(block);
	return malloc(10); /* line: given */
}

static void *detached(void *unused)
{
	free(malloc(30)); /* line: detached */
	sem_post(&ended);
	return unused;
}

static void *exiting(void *unused)
{
	CHECK(pthread_setspecific(keys[0], (void *)1) == 0);
	free(malloc(40)); /* line: exiting */
	pthread_exit(unused);
}

static void joined(int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		void *passed = malloc(50); /* line: passed */
		void *given;

		CHECK(pthread_create(&thread, NULL, passing, passed) == 0);
		CHECK(pthread_join(thread, &given) == 0);
		free(given);
	}
}

/* No more at once than some hundred, as fast as they come: the semaphore alone lets those pile up that
 * have posted it and still end. */
static void not_joined(int count, void *(*function)(void *))
{
	pthread_attr_t attributes;

	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
	for (int i = 0; i < count; i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, &attributes, function, NULL) == 0);
		if (i >= 100)
			sem_wait(&ended);
		if (i % 100 == 99)
			threads_wait(thread_count, 300);
	}
	for (int i = 0; i < 100 && i < count; i++)
		sem_wait(&ended);
}

static pthread_barrier_t all;

static void *at_once(void *unused)
{
	free(malloc(60)); /* line: at once */
	pthread_barrier_wait(&all);
	free(malloc(70)); /* line: after all */
	return unused;
}

static void many_at_once(unsigned count)
{
	pthread_t *threads = malloc(count * sizeof(*threads)); /* line: threads */
	pthread_attr_t attributes;

	CHECK(threads && pthread_barrier_init(&all, NULL, count) == 0);
	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
	for (unsigned i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], &attributes, at_once, NULL) == 0);
	for (unsigned i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	free(threads);
}

static void *last(void *first)
{
	pthread_t thread;

	CHECK(pthread_join(*(pthread_t *)first, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, exiting, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	free(malloc(80)); /* line: last */
	puts("done");
	return NULL;
}

#define HELD 40
#define GONE 100

static pthread_key_t holding;
static pthread_barrier_t holds;
static sem_t let_go;

/* In the last round, when the tracer takes the thread for ended. */
static void hold(void *round)
{
	if ((size_t)round < PTHREAD_DESTRUCTOR_ITERATIONS) {
		CHECK(pthread_setspecific(holding, (char *)round + 1) == 0);
		return;
	}
	pthread_barrier_wait(&holds);
	sem_wait(&let_go);
}

static void *held(void *unused)
{
	free(malloc(90)); /* line: held */
	CHECK(pthread_setspecific(holding, (void *)1) == 0);
	return unused;
}

static void hold_threads(void)
{
	pthread_t threads[HELD];

	CHECK(pthread_key_create(&holding, hold) == 0 && sem_init(&let_go, 0, 0) == 0);
	CHECK(pthread_barrier_init(&holds, NULL, HELD + 1) == 0);
	many_at_once(GONE);
	for (int i = 0; i < HELD; i++)
		CHECK(pthread_create(&threads[i], NULL, held, NULL) == 0);
	pthread_barrier_wait(&holds);
	many_at_once(GONE - HELD - 1);
	for (int i = 0; i < HELD; i++)
		sem_post(&let_go);
	for (int i = 0; i < HELD; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv)
{
	int thousands = argc > 1 ? atoi(argv[1]) : 5;
	static pthread_t first;
	pthread_t thread;

	if (argc > 1 && strcmp(argv[1], "held") == 0) {
		hold_threads();
		return 0;
	}
	for (int i = 0; i < 4; i++)
		CHECK(pthread_key_create(&keys[i], destructor) == 0);
	CHECK(sem_init(&ended, 0, 0) == 0);
	many_at_once(1000);
	joined(thousands * 500);
	not_joined(thousands * 500, detached);
	first = pthread_self();
	CHECK(pthread_create(&thread, NULL, last, &first) == 0);
	CHECK(pthread_setspecific(keys[0], (void *)1) == 0);
	pthread_exit(NULL); /* the first thread is not the last */
}
