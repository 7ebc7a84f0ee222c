/* SPDX-License-Identifier: MIT */
/*
 * cancels.c - threads that are cancelled: at a point of their own, or anywhere that isn't the allocator; what their
 * clean-up handlers allocate counts.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "program.h"

static volatile int ready;

static void clean_up(void *block)
{
	free(block);
	free(malloc(20));  //= count 300, total 6000
}

static void *waits(void *unused)
{
	void *block = malloc(10);  //= count 100, total 1000

	pthread_cleanup_push(clean_up, block);
	ready = 1;
	for (;;) {
		free(malloc(5));  //= any
		usleep(10);
	}
	pthread_cleanup_pop(1);
	return unused;
}

static void *computes(void *unused)
{
	void *block = malloc(30);  //= count 100, total 3000

	pthread_cleanup_push(clean_up, block);
	CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
	ready = 1;
	for (;;)
		;
	pthread_cleanup_pop(1);
	return unused;
}

/* Not while it may not be: every system call that the tracer makes is another chance. */
static void *protects(void *unused)
{
	void *block = malloc(40);  //= count 100, total 4000

	pthread_cleanup_push(clean_up, block);
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
	ready = 1;
	for (int i = 0; i < 200; i++)
		free(malloc(i));  //= count 20000, total 1990000
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
	for (;;)
		pthread_testcancel();
	pthread_cleanup_pop(1);
	return unused;
}

static void cancel(void *(*function)(void *))
{
	for (int i = 0; i < 100; i++) {
		pthread_t thread;
		void *result;

		ready = 0;
		CHECK(pthread_create(&thread, NULL, function, NULL) == 0);  //= any
		while (!ready)
			sched_yield();
		CHECK(pthread_cancel(thread) == 0);  //= any
		CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	}
}

int main(void)
{
	cancel(waits);
	cancel(computes);
	cancel(protects);
	puts("done");
	return 0;
}
