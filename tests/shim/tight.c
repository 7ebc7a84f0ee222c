/* SPDX-License-Identifier: MIT */
/*
 * tight.c - stacks of the smallest sizes, very deep ones, and frames with vectors in them.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>

#include "program.h"

#define DEPTH 100000

static void *allocates(void *unused)
{
	free(malloc(20));  //= count 200, total 4000
	free(calloc(3, 10));  //= count 200, total 6000
	free(realloc(malloc(40), 50));  //= count 400, total 18000
	return unused;
}

static void smallest_stacks(void)
{
	pthread_attr_t attributes;

	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0);
	for (int i = 0; i < 200; i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, &attributes, allocates, NULL) == 0);  //= any
		CHECK(pthread_join(thread, NULL) == 0);
	}
}

static long deep(long level)
{
	if (level % 10000 == 0)
		free(malloc(11));  //= count 11, total 121
	return level > 0 ? deep(level - 1) + 1 : 0;
}

static void *very_deep(void *unused)
{
	CHECK(deep(DEPTH) == DEPTH);
	return unused;
}

static void hundred_thousand_frames(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, 64 << 20) == 0);
	CHECK(pthread_create(&thread, &attributes, very_deep, NULL) == 0);  //= any
	CHECK(pthread_join(thread, NULL) == 0);
}

typedef int vector __attribute__((vector_size(16)));

/* Arguments in vector registers, which nobody saves over a call of malloc unless the program does. */
static vector add(vector a, vector b)
{
	void *p = malloc(64);  //= count 50, total 3200
	vector sum = a + b;

	free(p);
	return sum;
}

static void vectors(void)
{
	vector sum = { 0 };

	for (int i = 0; i < 50; i++)
		sum = add(sum, (vector){ i, 1 });
	CHECK(sum[0] == 49 * 25 && sum[1] == 50);
}

/* On a signal stack of the least size that the kernel allows, plus what malloc itself may need. */
static void in_handler(int number)
{
	free(malloc(70));  //= count 100, total 7000
}

static void small_signal_stack(void)
{
	static char area[16 << 10];
	stack_t stack = { .ss_sp = area, .ss_size = getauxval(AT_MINSIGSTKSZ) + 4096 };
	struct sigaction action = { .sa_handler = in_handler, .sa_flags = SA_ONSTACK };

	CHECK(stack.ss_size <= sizeof(area));
	memset(area, 0x55, sizeof(area));
	CHECK(sigaltstack(&stack, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(raise(SIGUSR1) == 0);
	for (size_t i = stack.ss_size; i < sizeof(area); i++)
		CHECK(area[i] == 0x55);
}

/* Bytes of stack that the tracer takes below the program's: what lies further down stays as it is. */
#define LIMIT 4096
static __attribute__((noinline)) void paint(void)
{
	volatile char area[3 * LIMIT];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0x55;
}

static __attribute__((noinline)) int untouched(void)
{
	volatile char area[3 * LIMIT];
	int count = 0;

	__asm__ volatile("" : : "r"(area) : "memory");
	while (area[count] == 0x55)
		count++;
	return count;
}

static void *first_of_a_thread(void *left)
{
	paint();
	free(malloc(80));  //= count 10, total 800
	*(int *)left = untouched();
	return NULL;
}

static void little_stack_is_used(void)
{
	for (int i = 0; i < 10; i++) {
		pthread_t thread;
		int left = 0;

		CHECK(pthread_create(&thread, NULL, first_of_a_thread, &left) == 0);  //= any
		CHECK(pthread_join(thread, NULL) == 0);
		if (left < 2 * LIMIT)
			printf("%d bytes of stack were used\n", 3 * LIMIT - left);
	}
}

int main(void)
{
	little_stack_is_used();
	smallest_stacks();
	hundred_thousand_frames();
	vectors();
	small_signal_stack();
	puts("done");
	return 0;
}
