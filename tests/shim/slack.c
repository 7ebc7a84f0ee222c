/* SPDX-License-Identifier: MIT */
/*
 * slack.c - what the allocator gives beyond what was asked for, by malloc_usable_size itself.
 *
 * Prints the bytes of each mark: "NAME now in_all". The trace must say the same of the line marked
 * so.
 */
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

static long now[3], in_all[3];

static void *count(int mark, void *p, size_t size)
{
	now[mark] += (long)(malloc_usable_size(p) - size);
	in_all[mark] += (long)(malloc_usable_size(p) - size);
	return p;
}

static void gone(int mark, void *p, size_t size)
{
	now[mark] -= (long)(malloc_usable_size(p) - size);
}

static void *work(void *arg)
{
	for (size_t size = 1; size < 2000; size += 7) {
		char *p = malloc(size); /* line: threads */

		count(2, p, size);
		if (size % 2) {
			gone(2, p, size);
			free(p);
		}
	}
	return arg;
}

static void print(void)
{
	static const char *const names[] = { "malloc", "realloc", "threads" };

	for (int i = 0; i < 3; i++)
		printf("%s %ld %ld\n", names[i], now[i], in_all[i]);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char *p;

	for (size_t size = 0; size < 3000; size += 5) {
		p = malloc(size); /* line: malloc */
		count(0, p, size);
		if (size % 3 == 0) {
			gone(0, p, size);
			free(p);
		} else if (size % 3 == 1) {
			gone(0, p, size);
			p = realloc(p, 2 * size); /* line: realloc */
			count(1, p, 2 * size);
		}
	}
	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	/* A child's trace begins as a copy, at its first event. */
	if (argc > 1 && fork() != 0)
		return wait(NULL) < 0;
	free(malloc(1));
	print();
	return 0;
}
