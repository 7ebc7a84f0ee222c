/* SPDX-License-Identifier: MIT */
/*
 * control_threads.c - threads that start and stop the recording at the same time as others allocate: whatever
 * was recorded on the way, what comes after the last start is recorded whole.
 */
#include "preload/libmtrace.h"
#include "program.h"

#include <pthread.h>

#define ROUNDS 20000
#define KEPT 1000

static void *change(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		MTRACE_STOP();
		MTRACE_START();
	}
	return NULL;
}

static void *allocate(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		void *volatile p = malloc(40);  //= any

		p = realloc(p, 80);  //= any
		free(p);
	}
	return NULL;
}

static void *kept[KEPT];

int main(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, i % 2 ? change : allocate, NULL) == 0);  //= any
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	MTRACE_STOP();
	MTRACE_START();
	for (int i = 0; i < KEPT; i++)
		kept[i] = malloc(11);  //= count 1000, total 11000, current 11000, blocks 1000
	CHECK(kept[KEPT - 1]);
	puts("done");
	return 0;
}
