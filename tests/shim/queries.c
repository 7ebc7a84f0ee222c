/* SPDX-License-Identifier: MIT */
/*
 * queries.c - a program that asks libmtrace.h about its blocks: by any address, in threads, in a handler, and while
 * nothing is recorded.
 *
 * usage: queries [fork|gdb]     (test_where.py: in a fork child; or it lets a debugger ask)
 */
#include "preload/libmtrace.h"
#include "program.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES 64

static int is_there; /* the library */

static void check_block(void *p, size_t size)
{
	char *block = p;
	size_t found = 77;

	if (!is_there) {
		CHECK(!MTRACE_GET_BLOCK(p, &found) && found == 77);
		return;
	}
	CHECK(mtrace_get_block(block, &found) == block && found == size);
	CHECK(mtrace_get_block(block, NULL) == block);
	CHECK(mtrace_get_block(block + size / 2, &found) == block && found == size);
	CHECK(size == 0 || mtrace_get_block(block + size - 1, NULL) == block);
	CHECK(mtrace_get_block(block + (size ? size : 1), NULL) != block);
	CHECK(mtrace_get_block(block - 1, NULL) != block);
	CHECK(mtrace_get_traceback(block + size / 2, NULL, 0) > 0);
}

static void check_unknown(const void *p)
{
	void *frames[1] = { NULL };
	size_t size = 77;

	CHECK(!MTRACE_GET_BLOCK(p, &size) && size == 77);
	CHECK(MTRACE_GET_TRACEBACK(p, frames, 1) == 0 && MTRACE_GET_TRACEBACK(p, NULL, 0) == 0 && !frames[0]);
}

static void check_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 24, 25, 1000, 1022, 1023, 1024, 100000, 5 << 20, 70 << 20 };
	void *blocks[sizeof(sizes) / sizeof(*sizes)];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		blocks[i] = malloc(sizes[i]);  //= any
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		check_block(blocks[i], sizes[i]);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i += 2)
		free(blocks[i]);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (i % 2)
			check_block(blocks[i], sizes[i]);
		else
			check_unknown(blocks[i]);
	for (size_t i = 1; i < sizeof(sizes) / sizeof(*sizes); i += 2)
		free(blocks[i]);
}

static void check_others(void)
{
	static int data;
	int on_stack;

	check_unknown(NULL);
	check_unknown(&data);
	check_unknown(&on_stack);
	check_unknown((void *)check_others);
	check_unknown((void *)(uintptr_t)-1);
	check_unknown((void *)((uintptr_t)1 << 47));
}

/* ---- stacks */

static void *returns_to, *stack[FRAMES];
static int stack_size;

static __attribute__((__noinline__)) void *allocate(size_t size)
{
	void *p;

	returns_to = __builtin_return_address(0);
	stack_size = backtrace(stack, FRAMES);
	p = malloc(size);  //= count 2, total 100, current 0
	return p;
}

static __attribute__((__noinline__)) void *allocate_deeper(int depth, size_t size)
{
	void *p = depth ? allocate_deeper(depth - 1, size) : allocate(size);

	return (char *)p + 0; /* no tail call */
}

static void check_stack(int depth)
{
	char *p = allocate_deeper(depth, 50);
	void *frames[FRAMES + 1], *few[3] = { NULL, NULL, p };
	size_t count = MTRACE_GET_TRACEBACK(p + 20, frames, FRAMES + 1);

	CHECK(count == (is_there ? (size_t)stack_size : 0));
	if (is_there) {
		CHECK((char *)frames[0] - (char *)stack[0] > 0 && (char *)frames[0] - (char *)stack[0] < 100);
		CHECK(frames[1] == returns_to);
		CHECK(memcmp(frames + 1, stack + 1, (count - 1) * sizeof(*frames)) == 0);
		CHECK(mtrace_get_traceback(p, NULL, 0) == count && mtrace_get_traceback(p, frames, 0) == count);
		CHECK(mtrace_get_traceback(p, few, 2) == 2 && few[0] == frames[0] && few[1] == returns_to && few[2] == p);
	}
	free(p);
	check_unknown(p);
}

/* ---- at other places */

static void *shared;

static void *thread(void *unused)
{
	(void)unused;
	check_block(shared, 300);
	check_others();
	return NULL;
}

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	check_block(shared, 300);
	handled = 1;
}

static void check_places(void)
{
	pthread_t t;

	shared = malloc(300);  //= count 1, total 300, current 0
	CHECK(pthread_create(&t, NULL, thread, NULL) == 0);  //= any
	CHECK(pthread_join(t, NULL) == 0);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	CHECK(handled);
	MTRACE_STOP();
	check_block(shared, 300);

	void *unseen = malloc(40);

	check_unknown(unseen);
	free(unseen);
	free(shared);
	MTRACE_START();
	check_unknown(shared);
}

static void check_resized(void)
{
	char *p = malloc(60);  //= count 1, total 60, temporary 1
	char *q = realloc(p, 4000);  //= count 1, total 4000, current 0

	if (p != q)
		check_unknown(p);
	check_block(q, 4000);
	free(q);
}

/* A child's first event is the question. */
static void check_child(void)
{
	int status;
	pid_t child;

	shared = malloc(300);
	child = fork();
	if (child == 0) {
		check_block(shared, 300);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	free(shared);
}

/* Where test_where.py lets gdb stop. */
__attribute__((__noinline__)) static void stop_here(void *p)
{
	__asm__ volatile("" : : "r"(p));
}

static void wait_for_gdb(void)
{
	char *p = allocate_deeper(2, 777);

	stop_here(p + 100);
	free(malloc(778)); /* on a new stack */
	free(p);
}

int main(int count, char **arguments)
{
	is_there = mtrace_is_tracing != NULL;
	CHECK(backtrace(stack, FRAMES) > 0);  //= any
	if (count > 1) {
		if (strcmp(arguments[1], "fork") == 0)
			check_child();
		else
			wait_for_gdb();
		return 0;
	}
	CHECK(MTRACE_IS_TRACING() == is_there);
	CHECK(MTRACE_GET_TRACEBACK_LIMIT() == (is_there ? 128 : 0));
	CHECK((MTRACE_GET_OVERHEAD() > 0) == is_there);
	CHECK(!is_there || mtrace_overhead() > 0);
	check_sizes();
	check_others();
	check_stack(0);
	check_stack(30);
	check_resized();
	check_places();
	puts("done");
	return 0;
}
