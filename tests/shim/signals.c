/* SPDX-License-Identifier: MIT */
/*
 * signals.c - handlers that allocate: on the program's stack, on one of their own, in a loop, and jumping out.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "program.h"

static volatile sig_atomic_t ticks;
static sigjmp_buf out;

static void allocating(int number)
{
	//~ allocating count 150, total 6000
	free(malloc(40));  //= count 150, total 6000
}

static void jumping(int number)
{
	//~ jumping count 20, total 1000
	free(malloc(50));  //= count 20, total 1000
	siglongjmp(out, 1);
}

static void counting(int number)
{
	ticks++;
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	CHECK(sigaction(number, &action, NULL) == 0);
}

/* The handler's stack is reached from raise(), so whole stacks are known. */
static void on_the_same_stack(void)
{
	//~ on_the_same_stack count 100, total 4000
	handle(SIGUSR1, allocating, 0);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
}

static void on_another_stack(void)
{
	static char area[1 << 16];
	stack_t stack = { .ss_sp = area, .ss_size = sizeof(area) };

	CHECK(sigaltstack(&stack, NULL) == 0);
	handle(SIGUSR2, allocating, SA_ONSTACK);
	for (int i = 0; i < 50; i++)
		raise(SIGUSR2);
}

static void out_of_a_handler(void)
{
	handle(SIGUSR1, jumping, SA_NODEFER | SA_ONSTACK);
	for (volatile int i = 0; i < 20; i++) {
		if (sigsetjmp(out, 1) == 0)
			raise(SIGUSR1);
		free(malloc(60));  //= count 20, total 1200
	}
}

/* A timer that interrupts the tracer anywhere; and system calls see EINTR as without it. */
static void while_allocating(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };

	handle(SIGALRM, counting, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; i < 300000; i++)
		free(malloc(i % 100));  //= count 300000, total 14850000
	while (ticks < 10)
		;
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* The tracer installs no handler of its own. */
static void default_actions(void)
{
	for (int number = 1; number < SIGRTMAX; number++) {
		struct sigaction action;

		if (number == SIGUSR1 || number == SIGUSR2 || number == SIGALRM)
			continue;
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			printf("signal %d is handled\n", number);
	}
}

int main(void)
{
	on_the_same_stack();
	on_another_stack();
	out_of_a_handler();
	while_allocating();
	default_actions();
	puts("done");
	return 0;
}
