/* SPDX-License-Identifier: MIT */
/*
 * named.c - threads that take their names at different times, and are gone one after the other: each
 * allocates a number of blocks that is its own.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define BRIEF 300 /* threads that live for a moment */

static void allocate(int count)
{
	while (count--)
		free(malloc(100));
}

static void *named_first(void *arg)
{
	pthread_setname_np(pthread_self(), "first");
	allocate(1000);
	return arg;
}

static void *named_last(void *arg)
{
	allocate(2000);
	prctl(PR_SET_NAME, "last");
	return arg;
}

static void *named_between(void *arg)
{
	allocate(1500);
	pthread_setname_np(pthread_self(), "between");
	allocate(1500);
	return arg;
}

static void *brief(void *arg)
{
	pthread_setname_np(pthread_self(), "brief");
	allocate(10);
	return arg;
}

static void run(void *(*function)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, function, NULL);
	pthread_join(thread, NULL);
}

int main(void)
{
	allocate(500); /* while there is one thread */
	run(named_first);
	run(named_last);
	run(named_between);
	for (int i = 0; i < BRIEF; i++)
		run(brief);
	prctl(PR_SET_NAME, "renamed");
	allocate(700);
	return 0;
}
