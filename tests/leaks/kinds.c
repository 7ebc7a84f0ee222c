/* SPDX-License-Identifier: MIT */
/* kinds.c - blocks of every kind, in C. */
#include "cases.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct node {
	struct node *volatile next;
	long payload[4];
};

#define NODE sizeof(struct node) /* 40 */

/* ---- lost */

CASE lost_plain(void) // lost 100/1
{
	void *volatile p = zeroed(100);

	p = NULL;
	(void)p;
}

CASE lost_thrice(void) // lost 30/3
{
	for (int i = 0; i < 3; i++) {
		char *volatile p = calloc(1, 10);

		p = NULL;
		(void)p;
	}
}

CASE lost_empty(void) // lost 0/1
{
	void *volatile p = zeroed(0);

	p = NULL;
	(void)p;
}

CASE lost_resized(void) // lost 5000/1
{
	void *volatile p = zeroed(10);

	p = realloc(p, 5000);
	p = NULL;
	(void)p;
}

CASE lost_aligned(void) // lost 300/1
{
	void *volatile p = memalign(4096, 300);

	p = NULL;
	(void)p;
}

CASE lost_large(void) // lost 3000000/1
{
	void *volatile p = zeroed(3000000);

	p = NULL;
	(void)p;
}

/* Its own pointer keeps nobody. */
CASE lost_to_itself(void) // lost 40/1
{
	struct node *volatile p = zeroed(NODE);

	p->next = p;
	p = NULL;
	(void)p;
}

static char *volatile behind;

CASE lost_behind_its_end(void) // lost 63/1
{
	char *volatile p = zeroed(63);

	behind = p + 63;
	p = NULL;
	(void)p;
}

static char unaligned[32] __attribute__((aligned(16)));

CASE lost_by_unaligned_pointer(void) // lost 56/1
{
	void *volatile p = zeroed(56);

	memcpy(unaligned + 3, (void *)&p, sizeof(p));
	p = NULL;
	(void)p;
}

static volatile uintptr_t hidden;

CASE lost_by_hidden_pointer(void) // lost 72/1
{
	void *volatile p = zeroed(72);

	hidden = ~(uintptr_t)p;
	p = NULL;
	(void)p;
}

/* ---- indirectly lost */

NOINLINE static struct node *rest_of_list(int length) // indirect 120/3
{
	struct node *first = NULL;

	for (int i = 0; i < length; i++) {
		struct node *n = zeroed(NODE);

		n->next = first;
		first = n;
	}
	return first;
}

CASE head_of_list(void) // lost 40/1
{
	struct node *volatile p = zeroed(NODE);

	p->next = rest_of_list(3);
	p = NULL;
	(void)p;
}

/* Nobody points into the ring: one leads to the others. */
CASE ring(void) // lost 40/1, indirect 80/2
{
	struct node *volatile p = zeroed(NODE);

	p->next = zeroed(NODE);
	p->next->next = zeroed(NODE);
	p->next->next->next = p;
	p = NULL;
	(void)p;
}

/* The inside of a lost block is pointed to from another lost one. */
CASE inside_of_lost(void) // lost 40/1, indirect 40/1
{
	struct node *volatile p = zeroed(NODE);
	struct node *volatile q = zeroed(NODE);

	p->next = (struct node *)((char *)q + 16);
	p = NULL;
	q = NULL;
	(void)p;
	(void)q;
}

/* ---- possibly lost */

static char *volatile inside;

CASE possible_inside(void) // possible 200/1
{
	char *volatile p = zeroed(200);

	inside = p + 100;
	p = NULL;
	(void)p;
}

static char *volatile inside_large;

CASE possible_inside_large(void) // possible 500000/1
{
	char *volatile p = zeroed(500000);

	inside_large = p + 499999;
	p = NULL;
	(void)p;
}

static char *volatile inside_head;

/* What only a possible block points to is possible, too. */
CASE possible_chain(void) // possible 80/2
{
	struct node *volatile p = zeroed(NODE);

	p->next = zeroed(NODE);
	inside_head = (char *)p + 24;
	p = NULL;
	(void)p;
}

/* ---- reachable */

void *volatile global;

CASE reachable_global(void) // reachable 11/1
{
	global = zeroed(11);
}

CASE reachable_static(void) // reachable 12/1
{
	static void *volatile kept;

	kept = zeroed(12);
	(void)kept;
}

static __thread void *volatile local_to_thread;

CASE reachable_thread_local(void) // reachable 13/1
{
	local_to_thread = zeroed(13);
}

static struct node *volatile list;

CASE reachable_list(void) // reachable 120/3
{
	for (int i = 0; i < 3; i++) {
		struct node *n = zeroed(NODE);

		n->next = list;
		list = n;
	}
}

static char *volatile start_and_inside[2];

/* A pointer to the start is enough. */
CASE reachable_by_both(void) // reachable 90/1
{
	start_and_inside[0] = zeroed(90);
	start_and_inside[1] = start_and_inside[0] + 10;
}

static void *volatile *volatile mapping;

CASE reachable_from_mapping(void) // reachable 14/1
{
	mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mapping[7] = zeroed(14);
}

static struct node *volatile two_ways;

/* Both a lost and a reachable block point to it. */
CASE reachable_not_indirect(void) // lost 40/1, reachable 40/1
{
	struct node *volatile p = zeroed(NODE);

	two_ways = zeroed(NODE);
	p->next = two_ways;
	p = NULL;
	(void)p;
}

static uint64_t *volatile behind_length;

/* The length in front is how some allocators mark their blocks: memcheck's heuristic length64. */
CASE reachable_behind_length(void) // reachable 128/1
{
	uint64_t *volatile p = zeroed(128);

	p[0] = 128 - sizeof(*p);
	behind_length = p + 1;
	p = NULL;
	(void)p;
}

NOINLINE static void *on_stack(void) // reachable 15/1
{
	return zeroed(15);
}

static void run_cases(void)
{
	RUN(lost_plain);
	RUN(lost_thrice);
	RUN(lost_empty);
	RUN(lost_resized);
	RUN(lost_aligned);
	RUN(lost_large);
	RUN(lost_to_itself);
	RUN(lost_behind_its_end);
	RUN(lost_by_unaligned_pointer);
	RUN(lost_by_hidden_pointer);
	RUN(head_of_list);
	RUN(ring);
	RUN(inside_of_lost);
	RUN(possible_inside);
	RUN(possible_inside_large);
	RUN(possible_chain);
	RUN(reachable_global);
	RUN(reachable_static);
	RUN(reachable_thread_local);
	RUN(reachable_list);
	RUN(reachable_by_both);
	RUN(reachable_from_mapping);
	RUN(reachable_not_indirect);
	RUN(reachable_behind_length);
}

int main(void)
{
	void *volatile kept;

	run_cases();
	kept = on_stack();
	exit(kept == NULL);
}
