/* SPDX-License-Identifier: MIT */
/*
 * locked.c - an ordinary user's program that locks all of its memory, as those for sound and real time do.
 *
 * usage: locked KIB [full|threads]    it may lock so much; full: of what comes later, nothing more; threads: has some,
 *                                     and then a quarter of the limit left
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program.h"

#define STACKS 200

static void *volatile kept;

/* Each from a stack of its own. */
static __attribute__((noinline)) void deeper(int depth)
{
	kept = malloc(40);
	CHECK(kept);
	free(kept);
	if (depth > 0)
		deeper(depth - 1);
	__asm__ volatile("");
}

static void limit_locked(size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
}

static void *in_thread(void *unused)
{
	deeper(STACKS / 10);
	return unused;
}

static void with_threads(size_t bytes)
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, 65536) == 0);
	for (int i = 0; i < 10; i++) {
		CHECK(pthread_create(&thread, &attributes, in_thread, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	CHECK(mmap(NULL, bytes / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

int main(int argc, char **argv)
{
	limit_locked((size_t)atol(argv[1]) << 10);
	if (getuid() == 0) {
		CHECK(setgid(65534) == 0);
		CHECK(setuid(65534) == 0);
	}
	kept = malloc(1000); /* the allocator's own beginning */
	free(kept);
	CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	if (argc > 2 && strcmp(argv[2], "threads") == 0)
		with_threads((size_t)atol(argv[1]) << 10);
	else if (argc > 2)
		limit_locked(0);
	deeper(STACKS);
	puts("done");
	return 0;
}
