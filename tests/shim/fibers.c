/* SPDX-License-Identifier: MIT */
/*
 * fibers.c - thousands of small stacks: made by makecontext or by hand, in the heap or in mappings of their own, freed
 * and made again at the same places, and run by other threads than before.
 */
#include <alloca.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "by_hand.h"
#include "program.h"

#define FIBERS 3000
#define SMALL 8192

static __thread ucontext_t back;
static __thread ucontext_t *self;

static void in_fiber(void)
{
	free(malloc(20));  //= count 12800, total 256000
}

static void fiber(void)
{
	//~ fiber count 12800, total 256000
	in_fiber();
	CHECK(swapcontext(self, &back) == 0);
	in_fiber();
	setcontext(&back); /* of the thread that runs it now */
}

static void start(ucontext_t *context, void *stack, size_t size)
{
	CHECK(getcontext(context) == 0);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = size;
	context->uc_link = NULL;
	makecontext(context, fiber, 0);
}

static void go_on(ucontext_t *context)
{
	self = context;
	CHECK(swapcontext(&back, context) == 0);
}

/* All at once, on stacks in the heap, smaller than a signal's. */
static void many(void)
{
	ucontext_t *contexts = malloc(FIBERS * sizeof(*contexts));  //= any
	char **stacks = malloc(FIBERS * sizeof(*stacks));  //= count 1, total 24000

	CHECK(contexts && stacks);
	for (int i = 0; i < FIBERS; i++) {
		stacks[i] = malloc(SMALL);  //= count 3000, total 24576000
		start(&contexts[i], stacks[i], SMALL);
	}
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < FIBERS; i++)
			go_on(&contexts[i]);
	for (int i = 0; i < FIBERS; i++)
		free(stacks[i]);
	free(stacks);
	free(contexts);
}

/* Each stack is gone when the next one comes, and that is smaller or larger. */
static void one_after_the_other(void)
{
	ucontext_t context;

	for (int i = 0; i < 1000; i++) {
		size_t size = SMALL << i % 4;
		char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(stack != MAP_FAILED);
		start(&context, stack, size);
		go_on(&context);
		go_on(&context);
		CHECK(munmap(stack, size) == 0);
	}
}

/* A fiber that one thread begins and another ends. */
static void *ends(void *contexts)
{
	for (int i = 0; i < 600; i++)
		go_on((ucontext_t *)contexts + i);
	return NULL;
}

static void moved(void)
{
	static ucontext_t contexts[600];
	static char stacks[600][SMALL];

	for (int turn = 0; turn < 4; turn++) {
		pthread_t thread;

		for (int i = 0; i < 600; i++) {
			start(&contexts[i], stacks[i], SMALL);
			go_on(&contexts[i]);
		}
		CHECK(pthread_create(&thread, NULL, ends, contexts) == 0);  //= any
		CHECK(pthread_join(thread, NULL) == 0);
	}
}

/*
 * By hand, as small coroutine libraries do it: at the top of the stack lies the address of a function that the first
 * one returns to, as if that had called it. What lies above is another mapping or none.
 */
static __attribute__((noinline)) void allocate_by_hand(void)
{
	free(malloc(90));  //= count 1200, total 108000
}

static void **by_hand_back;
static size_t by_hand_room;

/* From the other end of the stack. */
static __attribute__((noinline)) void allocate_far_down(size_t room)
{
	char *area = alloca(room);

	memset(area, 1, room);
	allocate_by_hand();
}

static void by_hand(void)
{
	static void **unused;

	allocate_by_hand();
	allocate_far_down(by_hand_room);
	switch_stacks(&unused, by_hand_back);
}

static void hand_made(void)
{
	for (int i = 0; i < 600; i++) {
		size_t whole = 32768, size = i % 2 ? whole : 8192;
		char *area = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		void **top;

		CHECK(area != MAP_FAILED && mprotect(area, size, PROT_READ | PROT_WRITE) == 0);
		by_hand_room = size - 6144;
		top = (void **)(area + size) - 1;
		*top = ADDRESS_OF_NO_CALL;
		*--top = (void *)by_hand;
		switch_stacks(&by_hand_back, top - 6);
		CHECK(munmap(area, whole) == 0);
	}
}

int main(void)
{
	many();
	one_after_the_other();
	moved();
	hand_made();
	puts("done");
	return 0;
}
