/* SPDX-License-Identifier: MIT */
/*
 * cut_stacks.c - fibers that go on while a part of their stack is gone: unmapped, closed, moved, given back, by this
 * thread, another, the allocator, or a system call by number. They never return as far as what is missing.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "program.h"

#define PAGE 4096u
#define STACK (1u << 18)
#define DEPTH 100
#define KEPT 3 /* pages from the fiber's stack pointer on */

static ucontext_t main_context, fiber_context;
static char *stack;
static char copy[STACK];

static void allocate(void)
{
	free(malloc(30));  //= count 160, total 4800
}

static __attribute__((noinline)) void descend(int depth)
{
	volatile char room[480] = { (char)depth };

	if (depth > 0)
		descend(depth - 1);
	else
		for (;;) {
			allocate();
			CHECK(swapcontext(&fiber_context, &main_context) == 0);
		}
	CHECK(room[0] == (char)depth);
}

static void fiber(void)
{
	descend(DEPTH);
}

static void go_on(void)
{
	CHECK(swapcontext(&main_context, &fiber_context) == 0);
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void begin_on(char *memory)
{
	stack = memory;
	CHECK(getcontext(&fiber_context) == 0);
	fiber_context.uc_stack.ss_sp = stack;
	fiber_context.uc_stack.ss_size = STACK;
	fiber_context.uc_link = NULL;
	makecontext(&fiber_context, fiber, 0);
	for (int i = 0; i < 4; i++)
		go_on();
}

static void end(void)
{
	for (int i = 0; i < 4; i++)
		go_on();
}

/* Where the pages begin that can be done without. */
static char *cut(void)
{
	uintptr_t sp = (uintptr_t)fiber_context.uc_mcontext.gregs[REG_RSP];

	return (char *)((sp & ~(uintptr_t)(PAGE - 1)) + KEPT * PAGE);
}

static size_t size_of_cut(void)
{
	return (size_t)(stack + STACK - cut());
}

/* ---- ways to take them */

static void unmap(void)
{
	CHECK(munmap(cut(), size_of_cut()) == 0);
}

static void close_pages(void)
{
	CHECK(mprotect(cut(), size_of_cut(), PROT_NONE) == 0);
}

static void cover(void)
{
	CHECK(mmap(cut(), size_of_cut(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == cut());
}

static void move(void)
{
	CHECK(mremap(cut(), size_of_cut(), size_of_cut(), MREMAP_MAYMOVE | MREMAP_FIXED, map(size_of_cut())) != MAP_FAILED);
}

static void shrink(void)
{
	CHECK(mremap(stack, STACK, STACK - size_of_cut(), 0) == stack);
}

static void unmap_by_number(void)
{
	CHECK(syscall(SYS_munmap, cut(), size_of_cut()) == 0);
}

static void make_zeros(void)
{
	CHECK(madvise(cut(), size_of_cut(), MADV_DONTNEED) == 0);
}

/* As who copies stacks to the heap, and back to as many pages as are needed. */
static void put_aside(void)
{
	size_t kept = (size_t)(cut() - stack);

	memcpy(copy, stack, kept);
	CHECK(munmap(stack, STACK) == 0);
	CHECK(mmap(stack, kept, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == stack);
	memcpy(stack, copy, kept);
}

static void *in_thread(void *way)
{
	(*(void (**)(void))way)();
	return NULL;
}

static void by_another_thread(void (*way)(void))
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, in_thread, &way) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
}

static void in_mappings(void)
{
	static void (*const ways[])(void) = { unmap, close_pages, cover, move, shrink, unmap_by_number, make_zeros, put_aside };

	for (unsigned i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++) {
		begin_on(map(STACK));
		if (i % 2)
			by_another_thread(ways[i / 2]);
		else
			ways[i / 2]();
		end();
	}
}

/* A block so large that the allocator has a mapping for it, which it makes smaller. */
static void in_the_heap(void)
{
	for (int i = 0; i < 2; i++) {
		char *block = malloc(STACK);  //= any

		CHECK(block);
		begin_on(block);
		CHECK(realloc(block, (size_t)(cut() - block)) == block);  //= any
		end();
		free(block);
	}
}

/* ---- a thread's own stack, of which another takes a part */

static pthread_barrier_t barrier;

static void wait_for_other(void)
{
	pthread_barrier_wait(&barrier);
}

static void forever(int depth)
{
	volatile char room[480] = { (char)depth };

	if (depth > 0)
		forever(depth - 1);
	for (int i = 0; i < 8; i++) {
		allocate();
		if (i == 3) {
			wait_for_other();
			wait_for_other();
		}
	}
	CHECK(room[0] == (char)depth);
	syscall(SYS_exit, 0); /* the thread's start is gone */
}

static char *place;

static void *own(void *unused)
{
	char here;

	place = &here;
	forever(DEPTH);
	return unused;
}

/* The C library waits for what it has written in the thread's block, at the top, which stays. */
static void own_stack(void)
{
	char *area = map(2 * STACK);
	pthread_attr_t attributes;
	pthread_t thread;
	uintptr_t first;

	for (int i = 0; i < 2; i++) {
		CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
		CHECK(pthread_attr_init(&attributes) == 0);
		CHECK(pthread_attr_setstack(&attributes, area, 2 * STACK) == 0);
		CHECK(pthread_create(&thread, &attributes, own, NULL) == 0);  //= any
		wait_for_other();
		first = ((uintptr_t)place & ~(uintptr_t)(PAGE - 1)) - 4 * PAGE;
		CHECK(mprotect((void *)first, 2 * PAGE, PROT_NONE) == 0);
		wait_for_other();
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(mprotect((void *)first, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
	}
}

/* ---- signals' stacks, which come and go */

static void on_signal(int number)
{
	free(malloc((size_t)number));  //= count 40
}

static __attribute__((noinline)) void raise_at(int depth)
{
	volatile char room[300] = { (char)depth };

	if (depth > 0)
		raise_at(depth - 1);
	else
		CHECK(raise(SIGUSR1) == 0);
	CHECK(room[0] == (char)depth);
}

static void signal_stacks(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < 20; i++) {
		size_t size = i % 2 ? 4 * PAGE : 32 * PAGE;
		stack_t alternate = { .ss_sp = map(size), .ss_size = size };
		stack_t none = { .ss_flags = SS_DISABLE };

		CHECK(sigaltstack(&alternate, NULL) == 0);
		raise_at(i % 5);
		raise_at(i % 5);
		CHECK(sigaltstack(&none, NULL) == 0);
		CHECK(munmap(alternate.ss_sp, size) == 0);
	}
}

int main(void)
{
	in_mappings();
	in_the_heap();
	own_stack();
	signal_stacks();
	puts("done");
	return 0;
}
