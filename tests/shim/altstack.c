/* SPDX-License-Identifier: MIT */
/*
 * altstack.c - a handler that allocates for the first time, on an alternate stack of SIZE bytes with a closed page below.
 */
#include <signal.h>
#include <sys/mman.h>

#include "program.h"

#define ROOM (64 << 10)

static void *volatile kept;

static void handler(int signal)
{
	kept = malloc(50);
	free(kept);
	kept = malloc(60);
}

int main(int argc, char **argv)
{
	char *memory = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = memory + ROOM, .ss_size = argc > 1 ? atol(argv[1]) : ROOM };

	CHECK(memory != MAP_FAILED && mprotect(memory, ROOM, PROT_NONE) == 0);
	kept = malloc(1000); /* the allocator's own beginning is no part of it */
	free(kept);
	CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	puts("done");
	return 0;
}
