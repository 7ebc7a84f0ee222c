// SPDX-License-Identifier: MIT
/*
 * shadow.cc - random call graphs that know their own stacks: with fibers, exceptions, alloca, longjmp, realigned
 * frames, signal handlers, functions without unwind information, and threads.
 *
 * usage: shadow SEED ROUNDS THREADS [WAYS]
 *
 * With WAYS rounds are one of so many at random, again and again: the same stacks come back, each after others.
 *
 * Each function node_N notes its number on the shadow stack of the thread or fiber that runs it. Prints how often an
 * allocation was made on each of them, innermost first: "3 0 12 4: 17".
 */
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <pthread.h>
#include <string>
#include <ucontext.h>

#include "shadow.h"

#define DEPTH_MOST 100
#define FIBERS 6
#define FIBER_STACK (256 * 1024)
#define JUMPS 8

struct context {
	int depth;
	int nodes[DEPTH_MOST];
	unsigned seed;
	unsigned round_seed; /* the next round's, with WAYS */
	int untold;	     /* frames without unwind information: exceptions can't pass */
	int handlers;	     /* of exceptions, that are running: no fiber may be changed */
	int catchers;	     /* that would catch one */
	jmp_buf jumps[JUMPS];
	int jump_count;
	int rounds;

	ucontext_t own, *back;
	context *fibers; /* of a thread; NULL in a fiber */
	char *stack;
	bool running, done;
};

static std::map<std::string, long> *counts;
static std::mutex counts_lock;
static __thread context *current;
static unsigned ways; /* 0: no round is like another */

static unsigned next_random(context *c, unsigned below)
{
	c->seed = c->seed * 1664525 + 1013904223;
	return (c->seed >> 10) % below;
}

static void begin_round(context *c)
{
	if (ways == 0)
		return;
	c->round_seed = c->round_seed * 1664525 + 1013904223;
	c->seed = (c->round_seed >> 10) % ways * 2654435761u;
}

extern "C" int enter(context *c, int node)
{
	if (c->depth == DEPTH_MOST)
		abort();
	c->nodes[c->depth] = node;
	c->untold += node >= 12;
	return c->depth++;
}

extern "C" void leave(context *c, int depth)
{
	while (c->depth > depth)
		c->untold -= c->nodes[--c->depth] >= 12;
}

__attribute__((noinline)) static void allocate(size_t size)
{
	void *volatile p = malloc(size);

	free(p);
}

static void note(const context *c)
{
	char key[DEPTH_MOST * 4 + 1] = "";
	size_t used = 0;

	for (int i = c->depth; i-- > 0;)
		used += static_cast<size_t>(
			snprintf(key + used, sizeof(key) - used, i ? "%d " : "%d", c->nodes[i]));
	std::lock_guard<std::mutex> guard(counts_lock);
	(*counts)[key]++;
}

static void make_block(context *c)
{
	note(c);
	allocate(1 + next_random(c, 300));
}

/* ---- nodes */

#define NODE(n) __attribute__((noinline)) static void node_##n(context *c, int budget)

NODE(0)
{
	int depth = enter(c, 0);

	go_on(c, budget);
	leave(c, depth);
}

NODE(1)
{
	int depth = enter(c, 1);
	size_t size = 1 + next_random(c, 900);
	volatile char *room = static_cast<char *>(alloca(size));

	room[size - 1] = 1;
	go_on(c, budget);
	leave(c, depth);
	if (room[size - 1] != 1)
		abort();
}

NODE(2)
{
	int depth = enter(c, 2);
	volatile char room[5000];

	room[budget] = 1;
	go_on(c, budget);
	leave(c, depth);
	if (room[budget] != 1)
		abort();
}

NODE(3)
{
	int depth = enter(c, 3);
	alignas(64) volatile double room[16];

	room[budget % 16] = budget;
	go_on(c, budget);
	leave(c, depth);
	if (room[budget % 16] != budget)
		abort();
}

NODE(4)
{
	int depth = enter(c, 4), untold = c->untold, jumps = c->jump_count;

	c->untold = 0;
	c->catchers++;
	try {
		go_on(c, budget);
		c->catchers--;
	} catch (int thrown) {
		leave(c, depth + 1);
		c->jump_count = jumps;
		c->catchers--;
		c->handlers++;
		if (thrown % 2)
			make_block(c);
		c->handlers--;
	}
	c->untold = untold;
	leave(c, depth);
}

/* What a jump may have changed is read from the context. */
NODE(5)
{
	struct {
		int depth, untold, catchers, jumps;
	} volatile before = { enter(c, 5), c->untold, c->catchers, c->jump_count };

	if (c->jump_count == JUMPS) {
		go_on(c, budget);
	} else if (setjmp(c->jumps[c->jump_count++]) == 0) {
		go_on(c, budget);
	} else {
		leave(c, before.depth + 1);
		c->catchers = before.catchers;
		make_block(c);
	}
	c->jump_count = before.jumps;
	c->untold = before.untold;
	leave(c, before.depth);
}

NODE(6)
{
	int depth = enter(c, 6);

	for (unsigned i = 0; i <= next_random(c, 3); i++)
		go_on(c, budget - static_cast<int>(i));
	leave(c, depth);
}

NODE(7)
{
	int depth = enter(c, 7);
	std::string text(next_random(c, 60), 'x');

	go_on(c, budget);
	leave(c, depth);
	if (text.size() > 60)
		abort();
}

static void node_8(int)
{
	context *c = current;
	int depth = enter(c, 8);

	make_block(c);
	leave(c, depth);
}

NODE(9)
{
	int depth = enter(c, 9);

	raise(SIGUSR1);
	go_on(c, budget);
	leave(c, depth);
}

static void (*const nodes[])(context *, int) = { node_0, node_1, node_2, node_3, node_4, node_5,
	node_6, node_7, node_9, node_12, node_13 };

/* ---- fibers */

NODE(10)
{
	int depth = enter(c, 10);

	while (c->rounds-- > 0) {
		begin_round(c);
		go_on(c, budget);
		leave(c, depth + 1);
	}
	leave(c, depth);
}

static void fiber()
{
	context *c = current;

	node_10(c, 8);
	c->done = true;
	for (;;)
		swapcontext(&c->own, c->back);
}

static void change_to(context *c, context *f)
{
	ucontext_t here;

	if (!f->stack) {
		f->stack = static_cast<char *>(malloc(FIBER_STACK));
		f->seed = c->seed ^ 0x5bd1e995;
		f->rounds = 20;
		getcontext(&f->own);
		f->own.uc_stack.ss_sp = f->stack;
		f->own.uc_stack.ss_size = FIBER_STACK;
		f->own.uc_link = nullptr;
		makecontext(&f->own, fiber, 0);
	}
	f->back = &here;
	f->running = true;
	current = f;
	swapcontext(&here, &f->own);
	current = c;
	f->running = false;
	if (f->done) {
		free(f->stack);
		memset(static_cast<void *>(f), 0, sizeof(*f));
	}
}

static void change(context *c)
{
	if (c->handlers > 0)
		return;
	if (c->fibers)
		change_to(c, &c->fibers[next_random(c, FIBERS)]);
	else
		swapcontext(&c->own, c->back);
}

/* ---- the graph */

extern "C" void go_on(context *c, int budget)
{
	unsigned what = next_random(c, 100);

	if (what < 25)
		make_block(c);
	else if (what < 30)
		change(c);
	else if (what < 34 && c->catchers > 0 && c->untold == 0 && c->handlers == 0)
		throw static_cast<int>(what);
	else if (what < 37 && c->jump_count > 0 && c->catchers == 0)
		longjmp(c->jumps[c->jump_count - 1], 1);
	if (budget > 0)
		nodes[next_random(c, sizeof(nodes) / sizeof(*nodes))](c, budget - 1);
	__asm__ volatile("");
}

NODE(11)
{
	int depth = enter(c, 11);

	while (c->rounds-- > 0) {
		begin_round(c);
		go_on(c, 1 + budget % 14);
		leave(c, depth + 1);
	}
	leave(c, depth);
}

static void *thread(void *arg)
{
	context *c = static_cast<context *>(arg);

	current = c;
	c->fibers = static_cast<context *>(calloc(FIBERS, sizeof(*c->fibers)));
	node_11(c, 12);
	return nullptr;
}

int main(int argc, char **argv)
{
	static context contexts[16];
	pthread_t threads[16];
	int count = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 4 || count < 1 || count > 16)
		return 2;
	if (argc > 4)
		ways = static_cast<unsigned>(atoi(argv[4]));
	counts = new std::map<std::string, long>;
	signal(SIGUSR1, node_8);
	for (int i = 0; i < count; i++) {
		contexts[i].seed = static_cast<unsigned>(atoi(argv[1]) * 16 + i);
		contexts[i].round_seed = contexts[i].seed;
		contexts[i].rounds = atoi(argv[2]) / count;
		if (count > 1)
			pthread_create(&threads[i], nullptr, thread, &contexts[i]);
		else
			thread(&contexts[i]);
	}
	for (int i = 0; i < count && count > 1; i++)
		pthread_join(threads[i], nullptr);
	for (const auto &entry : *counts)
		printf("%s: %ld\n", entry.first.c_str(), entry.second);
}
