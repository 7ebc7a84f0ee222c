/* SPDX-License-Identifier: MIT */
/*
 * roots.c - one block, and one place where it is pointed to: roots CASE. The last line of a case says what becomes of the block.
 * The others of its heap are the C library's.
 */
#define _GNU_SOURCE
#include "../driver/threads.h"
#include "cases.h"

#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

NOINLINE void *block(size_t size)
{
	return malloc(size);
}

static int argument;
static sem_t ready;
static int channel[2], sockets[2];

static void *wait_for_ever(void *unused)
{
	sem_post(&ready);
	for (;;)
		pause();
	return unused;
}

static volatile sig_atomic_t looping; /* the other thread, which then never sleeps */

static int unsettled(void)
{
	return looping ? 0 : threads_awake() - 1;
}

static void start(void *(*f)(void *), const pthread_attr_t *attributes)
{
	pthread_t thread;

	if (pthread_create(&thread, attributes, f, NULL) != 0)
		abort();
	sem_wait(&ready);
	threads_wait(unsettled, 0);
}

static void *volatile *map(void)
{
	return mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* ---- the allocator's own words */

/* Before the top of the heap; the argument is the size. */
CASE before_top(void) // lost
{
	void *volatile p = block((size_t)argument);

	p = NULL;
	(void)p;
}

/* Before, behind and between free chunks of all sizes; the argument is the seed. */
CASE between_free(void) // lost
{
	static void *blocks[3000];

	srand((unsigned)argument);
	for (int i = 0; i < 3000; i++) {
		size_t size = (size_t)(rand() % 3000 + 1);

		blocks[i] = block(size);
		memset(blocks[i], 0, size);
	}
	for (int i = 0; i < 2500; i++) {
		int k = rand() % 3000;

		free(blocks[k]);
		blocks[k] = NULL;
	}
	memset(blocks, 0, sizeof(blocks));
	STORED(blocks);
}

static void *in_other_arena(void *unused)
{
	void *blocks[100];

	for (int i = 0; i < 100; i++)
		blocks[i] = block((size_t)(20 * i + argument));
	for (int i = 0; i < 100; i += 2)
		free(blocks[i]);
	memset(blocks, 0, sizeof(blocks));
	STORED(blocks);
	scrub();
	FORGET_REGISTERS();
	return wait_for_ever(unused);
}

CASE of_other_arena(void) // lost
{
	start(in_other_arena, NULL);
}

static void *all_freed(void *given)
{
	void **p = malloc(500);

	p[10] = given; /* stays there */
	free(p);
	scrub();
	return NULL;
}

/* The arena has no live block any more. */
CASE in_freed_block(void) // lost
{
	pthread_t thread;

	pthread_create(&thread, NULL, all_freed, block(1000));
	pthread_join(thread, NULL);
}

/* ---- the break, and what isn't given to children */

CASE in_own_break(void) // reachable
{
	void *volatile *own = sbrk(8192);

	own[600] = block(1000);
}

CASE in_memory_not_forked(void) // reachable
{
	void *volatile *own = map();

	madvise((void *)own, 8192, MADV_DONTFORK);
	own[600] = block(1000);
	start(wait_for_ever, NULL);
}

CASE in_memory_wiped_on_fork(void) // reachable
{
	void *volatile *own = map();

	madvise((void *)own, 8192, MADV_WIPEONFORK);
	own[600] = block(1000);
	start(wait_for_ever, NULL);
}

/* ---- stacks */

static struct {
	char far[65536];
	void *volatile low;
	char stack[262144] __attribute__((aligned(4096)));
} around;

static ucontext_t outer, fiber;

static void exit_here(void)
{
	exit(0);
}

CASE below_fiber(void) // reachable
{
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = around.stack;
	fiber.uc_stack.ss_size = sizeof(around.stack);
	makecontext(&fiber, exit_here, 0);
	around.low = block(1000);
	scrub();
	swapcontext(&outer, &fiber);
}

CASE below_thread(void) // reachable
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, around.stack, sizeof(around.stack));
	around.low = block(1000);
	start(wait_for_ever, &attributes);
}

static void on_signal(int number)
{
	exit(number != SIGUSR1);
}

CASE below_signal_stack(void) // reachable
{
	stack_t stack = { .ss_sp = around.stack, .ss_size = sizeof(around.stack) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	around.low = block(1000);
	scrub();
	raise(SIGUSR1);
}

/* The kernel makes one mapping of both. */
CASE beside_stack_without_guard(void) // reachable
{
	pthread_attr_t attributes;
	static void *volatile *mappings[16];

	pthread_attr_init(&attributes);
	pthread_attr_setguardsize(&attributes, 0);
	start(wait_for_ever, &attributes);
	for (int i = 0; i < 16; i++) {
		mappings[i] = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mappings[i][10] = block(1000);
		mappings[i] = NULL;
	}
}

static void *forget(void *given)
{
	char *volatile p = given;

	p[0] = 1;
	return NULL;
}

CASE on_ended_stack(void) // lost
{
	for (int i = 0; i < 4; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, forget, block(1000));
		pthread_join(thread, NULL);
	}
}

static void *give_back(void *given)
{
	return given;
}

/* Somebody may still ask for it. */
CASE result_of_ended(void) // reachable
{
	static pthread_t thread;
	int threads = thread_count();

	pthread_create(&thread, NULL, give_back, block(1000));
	threads_wait(thread_count, threads);
}

CASE result_was_taken(void) // lost
{
	pthread_t thread;
	void *volatile result;

	pthread_create(&thread, NULL, give_back, block(1000));
	pthread_join(thread, (void **)&result);
	result = NULL;
}

NOINLINE static void *dead_slot(void)
{
	void *volatile below[512]; /* more than wait_for_ever takes, and its red zone */

	for (int i = 0; i < 512; i++)
		below[i] = i ? NULL : block(1000);
	return below[511];
}

static void *deep_then_waiting(void *unused)
{
	dead_slot();
	return wait_for_ever(unused);
}

/* Where the thread has been and is no more. */
CASE below_waiting_thread(void) // lost
{
	start(deep_then_waiting, NULL);
}

/* ---- registers of other threads, and of the one that ends the process */

#define IN_REGISTER(name, wait)                                                          \
	static void *wait_##name(void *unused)                                           \
	{                                                                                \
		char *state = block(1000);                                               \
		char buffer[16];                                                         \
		struct pollfd asked = { channel[0], POLLIN, 0 };                         \
		struct epoll_event events[2];                                            \
		int e = epoll_create1(0);                                                \
		sem_post(&ready);                                                        \
		for (;;) {                                                               \
			wait;                                                            \
			state[0]++;                                                      \
		}                                                                        \
		(void)buffer, (void)asked, (void)events, (void)e;                        \
		return unused;                                                           \
	}                                                                                \
	CASE in_##name(void) /* reachable */                                             \
	{                                                                                \
		start(wait_##name, NULL);                                                \
	}

IN_REGISTER(poll, poll(&asked, 1, -1))                          // case in_poll reachable
IN_REGISTER(epoll, epoll_wait(e, events, 2, -1))                // case in_epoll reachable
IN_REGISTER(read, if (read(channel[0], buffer, 16) < 0) continue)   // case in_read reachable
IN_REGISTER(recv, if (recv(sockets[0], buffer, 16, 0) < 0) continue) // case in_recv reachable
IN_REGISTER(sleep, sleep(1000))                                 // case in_sleep reachable
IN_REGISTER(loop, looping = 1; for (unsigned long i = 1; i; i += 2) __asm__ volatile("" : "+r"(i))) // case in_loop reachable

#ifdef __x86_64__
static void *wait_vector(void *unused)
{
	void *kept = block(1000);

	sem_post(&ready);
	looping = 1;
	__asm__ volatile("movq %0, %%xmm9; xor %%eax, %%eax\n1: pause; jmp 1b"
			 : : "a"(kept) : "xmm9");
	return unused;
}

CASE in_vector(void) // reachable
{
	start(wait_vector, NULL);
}
#endif

/* ---- ways out. The frame of the case is still there. */

#define WAY_OUT(name, call)              \
	CASE name(void)                      \
	{                                    \
		void *volatile p = block(1000);  \
		call;                            \
		(void)p;                         \
	}

WAY_OUT(held_at_exit, exit(p == NULL))             // case held_at_exit reachable
WAY_OUT(held_at_underscore_exit, _exit(p == NULL)) // case held_at_underscore_exit reachable
WAY_OUT(held_at_quick_exit, quick_exit(p == NULL)) // case held_at_quick_exit reachable
WAY_OUT(held_at_err, err(p == NULL, "bye"))        // case held_at_err reachable

#define DROPPED(name, call)              \
	CASE name(void)                      \
	{                                    \
		void *volatile p = block(1000);  \
		p = NULL;                        \
		scrub();                         \
		call;                            \
		(void)p;                         \
	}

DROPPED(dropped_at_underscore_exit, _exit(p != NULL)) // case dropped_at_underscore_exit lost
DROPPED(dropped_at_quick_exit, quick_exit(p != NULL)) // case dropped_at_quick_exit lost

/* What lies below the frame that ends the process is in the gaps of the frames of the C library's exit. */
NOINLINE static void fill_stack(void *p)
{
	void *volatile words[600];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = p;
}

#define LEFT_BELOW(name, call)           \
	CASE name(void)                      \
	{                                    \
		fill_stack(block(1000));         \
		call;                            \
	}

LEFT_BELOW(left_below_exit, exit(0))             // case left_below_exit lost
LEFT_BELOW(left_below_underscore_exit, _exit(0)) // case left_below_underscore_exit lost
LEFT_BELOW(left_below_quick_exit, quick_exit(0)) // case left_below_quick_exit lost

static void *volatile kept;

static void make_late(void)
{
	kept = block(1000);
}

CASE made_by_quick_handler(void) // reachable
{
	at_quick_exit(make_late);
	quick_exit(0);
}

static void drop_late(void)
{
	kept = NULL;
}

CASE dropped_by_quick_handler(void) // lost
{
	kept = block(1000);
	at_quick_exit(drop_late);
	quick_exit(0);
}

#define ALL(x)                                                                             \
	x(before_top) x(between_free) x(of_other_arena) x(in_freed_block) x(in_own_break)          \
	x(in_memory_not_forked) x(in_memory_wiped_on_fork) x(below_fiber) x(below_thread)          \
	x(below_signal_stack) x(beside_stack_without_guard) x(on_ended_stack) x(result_of_ended)   \
	x(result_was_taken) x(below_waiting_thread) x(in_poll) x(in_epoll) x(in_read) x(in_recv)   \
	x(in_sleep) x(in_loop) x(in_vector) x(held_at_exit) x(held_at_underscore_exit)             \
	x(held_at_quick_exit) x(held_at_err) x(dropped_at_underscore_exit)                         \
	x(dropped_at_quick_exit) x(left_below_exit) x(left_below_underscore_exit)                  \
	x(left_below_quick_exit) x(made_by_quick_handler) x(dropped_by_quick_handler)

#define ENTRY(name) { #name, name },
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = { ALL(ENTRY) };

int main(int argc, char **argv)
{
	char *left = NULL;

	if (pipe(channel) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
		return 2;
	sem_init(&ready, 0, 0);
	argument = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(argv[1], cases[i].name) == 0) {
			RUN(cases[i].run);
			return 0;
		}
	/* What main had is no more, although its slots may still be there. */
	left = block(1000); // case left_by_main lost
	snprintf(left, 1000, "%d", argc);
	puts(left);
	return 0;
}
