/*
 * locked.c - an ordinary user's program that locks all of its memory, as those for sound and real time do.
 *
 * usage: locked KIB [full]    it may lock so much; full: of what comes later, nothing more
 */
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
	if (argc > 2)
		limit_locked(0);
	deeper(STACKS);
	puts("done");
	return 0;
}
