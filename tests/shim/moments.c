/* SPDX-License-Identifier: MIT */
/*
 * moments.c - allocation at the moments when a tracer is easily not ready: before main, after it, in the loader's
 * callbacks and while its lock is held.
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "program.h"

static void *kept;

__attribute__((constructor(101))) static void first(void)
{
	kept = malloc(11);  //= count 1, total 11, current 11, blocks 1
}

__attribute__((constructor)) static void before_main(void)
{
	free(malloc(12));  //= count 1, total 12
}

static void at_exit_again(void)
{
	free(malloc(13));  //= count 1, total 13
}

static void at_exit(void)
{
	free(malloc(14));  //= count 1, total 14
	CHECK(atexit(at_exit_again) == 0);
}

__attribute__((destructor)) static void after_main(void)
{
	free(malloc(15));  //= count 1, total 15
}

static int look(struct dl_phdr_info *info, size_t size, void *count)
{
	if (*(int *)count < 3)
		free(malloc(16));  //= count 3, total 48
	++*(int *)count;
	return 0;
}

static void *allocates(void *unused)
{
	free(malloc(17));  //= count 1, total 17
	return unused;
}

/* The loader's lock is held, and another thread allocates for the first time: at a new place, too. */
static int waits(struct dl_phdr_info *info, size_t size, void *unused)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, allocates, NULL) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
	return 1;
}

int main(void)
{
	int count = 0;

	CHECK(atexit(at_exit) == 0);
	CHECK(dl_iterate_phdr(look, &count) == 0);
	CHECK(dl_iterate_phdr(waits, NULL) == 1);
	CHECK(kept);
	puts("done");
	return 0;
}
