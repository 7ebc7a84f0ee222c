/* SPDX-License-Identifier: MIT */
/*
 * split.c - split stacks (gcc's -fsplit-stack): a function that finds its stack short runs on another piece of memory,
 * which is freed and taken again. The tracer's own frames must fit wherever the program is.
 */
#include <string.h>
#include <pthread.h>

#include "program.h"

static int deep(int depth)
{
	char room[2000];
	int below;

	memset(room, depth, sizeof(room));
	if (depth % 10 == 0)
		free(malloc(16));  //= count 300, total 4800
	below = depth > 1 ? deep(depth - 1) : 0;
	return below + (room[1999] == (char)depth);
}

static void *runs(void *unused)
{
	for (int i = 0; i < 3; i++)
		CHECK(deep(500) == 500);
	return unused;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, 1 << 16) == 0);
	runs(NULL);
	CHECK(pthread_create(&thread, &attributes, runs, NULL) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
	puts("done");
	return 0;
}
