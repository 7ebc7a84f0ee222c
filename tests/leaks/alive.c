/* SPDX-License-Identifier: MIT */
/* alive.c - blocks that threads hold which are still there at exit: waiting, running, and one that ended. */
#include "../driver/threads.h"
#include "cases.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int ready;
static __thread void *volatile of_thread;

NOINLINE static void *on_waiting_stack(void) // reachable 21/1
{
	return zeroed(21);
}

NOINLINE static void in_waiting_thread_local(void) // reachable 22/1
{
	of_thread = zeroed(22);
}

CASE lost_by_waiting(void) // lost 23/1
{
	void *volatile p = zeroed(23);

	p = NULL;
	(void)p;
}

NOINLINE static void *on_running_stack(void) // reachable 24/1
{
	return zeroed(24);
}

CASE lost_by_ended(void) // lost 25/1
{
	void *volatile p = zeroed(25);

	p = NULL;
	(void)p;
}

/* Nobody can reach the thread-local storage of a thread that has ended. */
NOINLINE static void in_ended_thread_local(void) // lost 26/1
{
	of_thread = zeroed(26);
}

NOINLINE static void *handed_over(void) // reachable 27/1
{
	return zeroed(27);
}

static void *waiting(void *unused)
{
	void *volatile kept = on_waiting_stack();

	in_waiting_thread_local();
	RUN(lost_by_waiting);
	ready++;
	for (;;)
		pause();
	return kept;
}

static void *running(void *unused)
{
	void *volatile kept = on_running_stack();

	ready++;
	while (kept)
		;
	return NULL;
}

static void *ending(void *unused)
{
	RUN(lost_by_ended);
	in_ended_thread_local();
	return handed_over();
}

static void *result;

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, ending, NULL);
	pthread_join(thread, &result);
	pthread_create(&thread, NULL, waiting, NULL);
	pthread_create(&thread, NULL, running, NULL);
	while (ready < 2)
		usleep(1000);
	threads_wait(threads_awake, 2);
	return 0;
}
