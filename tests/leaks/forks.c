/* SPDX-License-Identifier: MIT */
/*
 * forks.c - a process and its children, each of which has its own copy of the heap and is judged by itself.
 *
 * Processes tell their names and numbers on stdout. What becomes of a block is told for each process; `each` is the first one and all
 * that were forked, as far as they aren't named themselves:
 *
 *	CASE lost_before(void) // each: lost 21/1; frees: freed
 */
#include "cases.h"

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *self;

NOINLINE static void forget(void *p)
{
	STORED(p);
}

/* To the descriptor: what stdout had would be written by each child. */
NOINLINE static void tell(const char *name)
{
	if (dprintf(STDOUT_FILENO, "%s %d\n", name, (int)getpid()) < 0)
		abort();
}

/* LeakSanitizer's status of a child that leaks isn't 0. */
NOINLINE static void wait_for(pid_t child)
{
	int status;

	if (child <= 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		abort();
}

/* ---- made before all children */

CASE lost_before(void) // each: lost 21/1
{
	forget(zeroed(21));
}

static void *volatile kept;

CASE kept_before(void) // each: reachable 22/1
{
	kept = zeroed(22);
}

static void *volatile dropped;

CASE dropped_by_child(void) // each: reachable 23/1; drops: lost 23/1
{
	dropped = zeroed(23);
}

static void *volatile freed;

CASE freed_by_child(void) // each: reachable 24/1; frees: freed
{
	freed = zeroed(24);
}

struct node {
	struct node *volatile next;
	long payload[3];
};

static struct node *volatile list;

CASE cut_by_child(void) // each: reachable 96/3; cuts: reachable 32/1, lost 32/1, indirect 32/1
{
	for (int i = 0; i < 3; i++) {
		struct node *n = zeroed(sizeof(*n));

		n->next = list;
		list = n;
		STORED(n);
	}
}

/* ---- what children make, hold and lose */

CASE lost_by_child(void) // leaks: lost 31/1; grandchild: lost 31/1
{
	forget(zeroed(31));
}

CASE lost_by_grandchild(void) // grandchild: lost 32/1
{
	forget(zeroed(32));
}

static void *volatile kept_by_grandchild;

CASE kept_below(void) // grandchild: reachable 33/1
{
	kept_by_grandchild = zeroed(33);
}

NOINLINE static void *held_by_child(void) // holds: reachable 34/1
{
	return zeroed(34);
}

CASE lost_after(void) // parent: lost 35/1
{
	forget(zeroed(35));
}

CASE lost_by_executed(void) // executed: lost 36/1; spawned: lost 36/1
{
	forget(zeroed(36));
}

CASE kept_by_executed(void) // executed: reachable 37/1; spawned: reachable 37/1
{
	kept = zeroed(37);
}

CASE lost_before_exec(void) // executes: lost 38/1
{
	forget(zeroed(38));
}

CASE lost_by_ending(void) // ends: lost 39/1
{
	forget(zeroed(39));
}

CASE lost_in_thread(void) // parent: lost 41/1; in_thread: lost 41/1
{
	forget(zeroed(41));
}

NOINLINE static void *held_by_thread(void) // in_thread: reachable 42/1
{
	return zeroed(42);
}

static void leave(void)
{
	FORGET_REGISTERS();
	exit(0);
}

NOINLINE static pid_t begin(const char *name)
{
	pid_t child = fork();

	if (child < 0)
		abort();
	if (child > 0) {
		wait_for(child);
		return child;
	}
	tell(name);
	free(malloc(1)); /* a child that allocates and frees nothing has no trace */
	return 0;
}

/* Made for the child, which holds it on its stack; the parent's copy is freed. */
NOINLINE static void child_holds(void)
{
	void *volatile held = held_by_child();

	if (begin("holds") == 0)
		leave();
	free(held);
	held = NULL;
}

NOINLINE static void child_leaks(void)
{
	if (begin("leaks") != 0)
		return;
	RUN(lost_by_child);
	if (begin("grandchild") == 0) {
		RUN(lost_by_grandchild);
		RUN(kept_below);
	}
	leave();
}

NOINLINE static void child_drops(void)
{
	if (begin("drops") != 0)
		return;
	dropped = NULL;
	leave();
}

NOINLINE static void child_frees(void)
{
	if (begin("frees") != 0)
		return;
	free(freed);
	freed = NULL;
	leave();
}

NOINLINE static void child_cuts(void)
{
	if (begin("cuts") != 0)
		return;
	list->next = NULL;
	leave();
}

NOINLINE static void child_executes(void)
{
	if (begin("executes") != 0)
		return;
	RUN(lost_before_exec);
	execl(self, self, "executed", (char *)NULL);
	abort();
}

NOINLINE static void child_ends(void)
{
	if (begin("ends") != 0)
		return;
	RUN(lost_by_ending);
	FORGET_REGISTERS();
	_exit(0);
}

NOINLINE static void child_spawned(void)
{
	char *arguments[] = { (char *)self, "spawned", NULL };
	pid_t child;

	if (posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0)
		abort();
	wait_for(child);
}

/* Its stack is what the child's only thread goes on with. */
static void *thread(void *unused)
{
	void *volatile held = held_by_thread();

	RUN(lost_in_thread);
	if (begin("in_thread") == 0)
		leave();
	free(held);
	held = NULL;
	return unused;
}

NOINLINE static void child_of_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) != 0 || pthread_join(t, NULL) != 0)
		abort();
}

static void run_executed(const char *name)
{
	tell(name);
	RUN(lost_by_executed);
	RUN(kept_by_executed);
}

static void run_cases(void)
{
	tell("parent");
	RUN(lost_before);
	RUN(kept_before);
	RUN(dropped_by_child);
	RUN(freed_by_child);
	RUN(cut_by_child);
	RUN(child_holds);
	RUN(child_leaks);
	RUN(child_drops);
	RUN(child_frees);
	RUN(child_cuts);
	RUN(child_executes);
	RUN(child_ends);
	RUN(child_spawned);
	RUN(child_of_thread);
	RUN(lost_after);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		run_executed(argv[1]);
	else
		run_cases();
	leave();
	return 1;
}
