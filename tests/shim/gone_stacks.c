/* SPDX-License-Identifier: MIT */
/*
 * gone_stacks.c - stacks that are gone in part, or were never all there: what the tracer has read of them once it must
 * not read again unless it is sure to be there.
 */
#include <alloca.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "by_hand.h"
#include "program.h"

#define PAGE 4096u
#define STACK (1u << 20)
#define STEPS 5
#define PATHS 1024 /* with more than 500 the tracer reads all words of a stack at once */

static void allocate(void)
{
	free(malloc(20));  //= any
}

static char *map(size_t size, int protection)
{
	char *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void unmap(void *address, size_t size)
{
	CHECK(munmap(address, size) == 0);
}

/* ---- many paths, of which each run has the same stack pointers */

static void step(unsigned path, int steps);

static void narrow(unsigned path, int steps)
{
	step(path, steps);
}

static void wide(unsigned path, int steps)
{
	volatile char room[100] = { 1 };

	step(path, steps);
	CHECK(room[0] == 1);
}

static void wider(unsigned path, int steps)
{
	volatile char room[500] = { 1 };

	step(path, steps);
	CHECK(room[0] == 1);
}

static void other(unsigned path, int steps)
{
	step(path, steps);
}

static void step(unsigned path, int steps)
{
	static void (*const ways[])(unsigned, int) = { narrow, wide, wider, other };

	//~ step count 17408
	if (steps > 0)
		ways[path % 4](path / 4, steps - 1);
	else
		allocate();
}

static void all_paths_at(uintptr_t address)
{
	volatile char here = 1;
	volatile char *room = alloca((uintptr_t)&here - address);

	room[0] = 1;
	for (unsigned path = 0; path < PATHS; path++)
		step(path, STEPS);
	CHECK(room[0] == 1);
}

/* ---- a thread's stack, and then a smaller one, of another thread that begins with the first one's state */

static void *on_given_stack(void *area)
{
	all_paths_at((uintptr_t)area + 32768);
	return NULL;
}

static void in_thread(char *area, size_t size, void *(*function)(void *))
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(mprotect(area, size, PROT_READ | PROT_WRITE) == 0);
	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstack(&attributes, area, size) == 0);
	CHECK(pthread_create(&thread, &attributes, function, area) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(mmap(area, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area);
}

static void smaller_and_smaller(void)
{
	char *area = map(STACK, PROT_NONE);

	//~ on_given_stack count 6144
	for (int i = 0; i < 2; i++) {
		in_thread(area, STACK, on_given_stack);
		in_thread(area, 196608, on_given_stack);
		in_thread(area, 81920, on_given_stack);
	}
	unmap(area, STACK);
}

/* ---- pages in the middle of the thread's own stack, where frames were */

static void many_frames(uintptr_t address, int depth)
{
	volatile char room[20000] = { 1 };

	if (depth > 0)
		many_frames(address, depth - 1);
	else
		all_paths_at(address);
	CHECK(room[0] == 1);
}

static void around_closed_pages(uintptr_t address)
{
	char room[80000 + PAGE];
	char *closed = (char *)(((uintptr_t)room + PAGE - 1) & ~(uintptr_t)(PAGE - 1));

	//~ around_closed_pages count 5120
	CHECK(mprotect(closed, 73728, PROT_NONE) == 0);
	all_paths_at(address);
	CHECK(mprotect(closed, 73728, PROT_READ | PROT_WRITE) == 0);
}

static void closed_pages(void)
{
	char here;
	uintptr_t address = ((uintptr_t)&here - 150000) & ~(uintptr_t)(PAGE - 1);

	//~ closed_pages count 11264
	for (int i = 0; i < 5; i++) {
		many_frames(address, 3);
		around_closed_pages(address);
	}
	many_frames(address, 3);
}

/* ---- a thread that goes on with another stack and gives up its own, while its frames are still known */

static char *next_stack;

static __attribute__((used)) void on_next_stack(char *frame)
{
	char *page = (char *)(((uintptr_t)frame & ~(uintptr_t)(PAGE - 1)) - PAGE);

	//~ on_next_stack count 20, total 400
	for (int i = 0; i < 10; i++) {
		allocate();
		if (i == 5)
			unmap(page, 4 * PAGE);
	}
	syscall(SYS_exit, 0);
}

static void move(int known)
{
	char *top = next_stack + STACK;

	if (known)
		allocate();
	__asm__ volatile("mov %1, %%rsp\n\tcall on_next_stack" : : "D"(__builtin_frame_address(0)), "r"(top) : "memory");
}

static void deeper(int known)
{
	volatile char room[65536] = { 1 };

	move(known);
	CHECK(room[0] == 2);
}

static void *moves(void *unused)
{
	allocate();
	deeper(0);
	return unused;
}

static void *moves_from_known(void *unused)
{
	deeper(1);
	return unused;
}

static void moved(void)
{
	char *area = map(64 * STACK, PROT_NONE);

	next_stack = area;
	CHECK(mprotect(area, STACK, PROT_READ | PROT_WRITE) == 0);
	in_thread(area + 16 * STACK, STACK, moves);
	in_thread(area + 32 * STACK, STACK, moves_from_known);
	unmap(area, STACK);
}

/* ---- a stack made by hand, at whose top lies an address that is to be returned to, of a function with a large frame */

static void **creator, **fiber;

static void in_fiber(void)
{
	//~ in_fiber count 24, total 480
	for (;;) {
		allocate();
		switch_stacks(&fiber, creator);
	}
}

/* With zeros above the stack, and with something else. */
static void hand_made(int above)
{
	char *area = map(16 * PAGE, PROT_READ | PROT_WRITE);
	void **top = (void **)(area + 8 * PAGE) - 1;

	memset(top + 1, above, 8 * PAGE);
	*top = ADDRESS_OF_NO_CALL;
	*--top = (void *)in_fiber;
	fiber = top - 6;
	for (int i = 0; i < 12; i++) {
		if (i == 6)
			unmap(area + 8 * PAGE, 8 * PAGE);
		switch_stacks(&creator, fiber);
	}
	unmap(area, 8 * PAGE);
}

int main(void)
{
	/* Locked memory can't be made zeros without writing them. Where this isn't allowed, it's a plain test. */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE);
	smaller_and_smaller();
	(void)munlockall();
	closed_pages();
	moved();
	hand_made(0);
	hand_made(0x12);
	puts("done");
	return 0;
}
