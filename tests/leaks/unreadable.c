/* SPDX-License-Identifier: MIT */
/* unreadable.c - pages that nobody may touch, where roots and blocks are. Beside them all is as ever. */
#include "../driver/threads.h"
#include "cases.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul

static sem_t ready;

static void close_page(void *p)
{
	if (mprotect((void *)((uintptr_t)p & ~(PAGE - 1)), PAGE, PROT_NONE) != 0)
		abort();
}

static struct {
	void *volatile before[512], *volatile closed[512], *volatile behind[512];
} pages __attribute__((aligned(4096)));

NOINLINE static void *before_closed(void) // reachable 21/1
{
	return zeroed(21);
}

NOINLINE static void *in_closed(void) // lost 22/1
{
	return zeroed(22);
}

NOINLINE static void *behind_closed(void) // reachable 23/1
{
	return zeroed(23);
}

static void in_globals(void)
{
	pages.before[511] = before_closed();
	pages.closed[7] = in_closed();
	pages.behind[0] = behind_closed();
	close_page((void *)pages.closed);
}

static void *volatile *volatile large;

NOINLINE static void *volatile *with_closed_page(void) // reachable 1000000/1
{
	return calloc(1, 1000000);
}

NOINLINE static void *in_open_page(void) // reachable 24/1
{
	return zeroed(24);
}

NOINLINE static void *in_closed_page(void) // lost 25/1
{
	return zeroed(25);
}

static void in_block(void)
{
	large = with_closed_page();
	large[50000] = in_closed_page();
	large[52000] = in_open_page();
	close_page((void *)&large[50000]);
}

static char *volatile inside;

/* A look at its start, for the layouts that count as pointed to there, fails. */
CASE possible_in_closed(void) // possible 1000000/1
{
	inside = zeroed(1000000);
	close_page(inside);
	inside += 8;
}

NOINLINE static void *above_guard(void) // reachable 26/1
{
	return zeroed(26);
}

static void *with_guard(void *unused)
{
	void *volatile held = above_guard();

	(void)unused;
	sem_post(&ready);
	for (;;)
		pause();
	STORED(held);
	return NULL;
}

/* A page in the stack that the thread was given is closed. */
static void in_stack(void)
{
	static char stack[131072] __attribute__((aligned(4096)));
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, sizeof(stack));
	close_page(stack + PAGE);
	if (pthread_create(&thread, &attributes, with_guard, NULL) != 0)
		abort();
	sem_wait(&ready);
}

int main(void)
{
	sem_init(&ready, 0, 0);
	RUN(in_globals);
	RUN(in_block);
	RUN(possible_in_closed);
	RUN(in_stack);
	threads_wait(threads_awake, 1);
	return 0;
}
