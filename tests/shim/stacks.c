/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - frames that a stack walk gets wrong easily: realigned ones, alloca, longjmp, deep recursion, fibers.
 *
 * The `//~` lines prove whole stacks: each function must be found on the way of exactly its allocations.
 */
#include <alloca.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "program.h"

#define noinline __attribute__((noinline))

/* A call that takes the place of its caller's frame, although the rest is not optimized. */
#ifdef __clang__
#define tail_calling
#define tail_return __attribute__((musttail)) return
#else
#define tail_calling __attribute__((optimize("O2")))
#define tail_return return
#endif

/* A stack of which one frame's size depends on the argument. */

static noinline void under_alloca(char *area, size_t size)
{
	memset(area, 1, size);
	free(malloc(size));  //= count 40, total 8200
}

static noinline void with_alloca(size_t size)
{
	under_alloca(alloca(size), size);
}

static noinline void variable_frames(void)
{
	//~ with_alloca count 40, total 8200
	//~ variable_frames count 40, total 8200
	for (size_t size = 10; size <= 400; size += 10)
		with_alloca(size);
}

static noinline void variable_array(int length)
{
	char array[length];

	memset(array, length, length);
	//~ variable_array count 30, total 900
	free(malloc(30));  //= count 30, total 900
	CHECK(array[length - 1] == (char)length);
}

/* Frames that align the stack pointer themselves: the caller's frame isn't at a fixed distance. */

struct vector {
	_Alignas(64) char bytes[64];
};

static noinline void check_aligned(struct vector *vector)
{
	CHECK((uintptr_t)vector % 64 == 0);
	free(malloc(16));  //= count 60, total 960
}

static noinline void aligned_local(int depth)
{
	struct vector vector;
	char shift[depth * 8 + 1];

	memset(&vector, depth, sizeof(vector));
	memset(shift, depth, sizeof(shift));
	check_aligned(&vector);
	if (depth > 1)
		aligned_local(depth - 1);
	//~ aligned_local count 30, total 480
}

__attribute__((force_align_arg_pointer)) static noinline void realigned(int rounds)
{
	struct vector vector;

	//~ realigned count 30, total 480
	for (int i = 0; i < rounds; i++)
		check_aligned(&vector);
}

/* longjmp: the stack above is gone, and another grows in its place. */

static jmp_buf out;

static noinline void jump(int depth)
{
	free(malloc(7));  //= count 55, total 385
	if (depth > 1)
		jump(depth - 1);
	else
		longjmp(out, 1);
}

static noinline void other_way(int depth)
{
	char pad[24];

	memset(pad, depth, sizeof(pad));
	free(malloc(9));  //= count 55, total 495
	if (depth > 1)
		other_way(depth - 1);
	CHECK(pad[23] == depth);
}

static noinline void jumps(void)
{
	//~ jump count 55, total 385
	//~ other_way count 55, total 495
	//~ jumps count 110, total 880
	for (volatile int depth = 1; depth <= 10; depth++) {
		if (setjmp(out) == 0)
			jump(depth);
		other_way(depth);
	}
}

/* Deep recursion: more frames than the tracer keeps. The way in allocates too. */

static noinline void deep(int level)
{
	if (level % 1000 == 0)
		free(malloc(11));  //= count 42, total 462
	if (level > 0)
		deep(level - 1);
	else
		free(malloc(12));  //= count 2, total 24
	__asm__ volatile("" ::: "memory");
}

/* Fibers: the stack pointer jumps between stacks that lie in the heap. */

#define FIBERS 4
#define SWITCHES 25

static ucontext_t scheduler, fibers[FIBERS];

static noinline void in_fiber(int size)
{
	//~ in_fiber count 100, total 5000
	free(malloc(size));  //= count 100, total 5000
}

static void fiber(int number)
{
	//~ fiber count 100, total 5000
	for (int i = 0; i < SWITCHES; i++) {
		in_fiber((number + 1) * 20);
		swapcontext(&fibers[number], &scheduler);
	}
}

static noinline void switch_fibers(void)
{
	enum { STACK = 1 << 16 };
	char *stacks = malloc(FIBERS * STACK);  //= count 1, total 262144

	for (int i = 0; i < FIBERS; i++) {
		CHECK(getcontext(&fibers[i]) == 0);
		fibers[i].uc_stack.ss_sp = stacks + i * STACK;
		fibers[i].uc_stack.ss_size = STACK;
		fibers[i].uc_link = &scheduler;
		makecontext(&fibers[i], (void (*)(void))fiber, 1, i);
	}
	for (int i = 0; i < SWITCHES; i++) {
		for (int j = 0; j < FIBERS; j++)
			CHECK(swapcontext(&scheduler, &fibers[j]) == 0);
	}
	free(stacks);
}

static noinline void *tail_called(size_t size)
{
	return malloc(size);  //= count 10, total 1000
}

static noinline tail_calling void *tail_caller(size_t size)
{
	tail_return tail_called(size);
}

int main(void)
{
	variable_frames();
	for (int i = 1; i <= 30; i++)
		variable_array(i * 37);
	aligned_local(30);
	realigned(30);
	jumps();
	deep(20000);
	deep(20000);
	switch_fibers();
	for (int i = 0; i < 10; i++)
		free(tail_caller(100));
	puts("done");
	return 0;
}
