/* SPDX-License-Identifier: MIT */
/* holding.c - lost blocks that lead to others. The comment of a case says what is lost, and what that holds besides. */
#include "cases.h"

struct node {
	struct node *next, *other;
	char more[48];
};

#define SIZE 64

NOINLINE static struct node *lead(struct node *from, struct node *to)
{
	from->next = to;
	STORED(from);
	return from;
}

CASE alone(void) // lost 64/1
{
	calloc(1, SIZE);
}

CASE list(void) // lost 8/1, holds 640/10
{
	struct node *first = NULL, **head = malloc(sizeof(*head));

	for (int i = 0; i < 10; i++)
		first = lead(calloc(1, SIZE), first);
	*head = first;
	STORED(head);
}

CASE list_of_later_ones(void) // lost 64/1, holds 640/10
{
	struct node *head = calloc(1, SIZE), *last = head;

	for (int i = 0; i < 10; i++) {
		lead(last, calloc(1, SIZE));
		last = last->next;
	}
}

CASE two_to_one(void) // lost 48/2, holds 128/2
{
	struct node *shared = lead(calloc(1, SIZE), calloc(1, SIZE));

	lead(calloc(1, 16), shared);
	lead(calloc(1, 32), shared);
}

CASE by_their_inside(void) // lost 64/1, holds 192/2
{
	char *inner = calloc(1, 128);

	lead(calloc(1, SIZE), lead(calloc(1, SIZE), (struct node *)(inner + 40)));
}

CASE to_itself(void) // lost 64/1
{
	struct node *node = calloc(1, SIZE);

	lead(node, node);
}

CASE circle(void) // lost 64/1, holds 128/2
{
	struct node *a = calloc(1, SIZE), *b = calloc(1, SIZE), *c = calloc(1, SIZE);

	lead(a, b);
	lead(b, c);
	lead(c, a);
}

CASE circle_with_more(void) // lost 64/1, holds 464/5
{
	struct node *a = calloc(1, SIZE), *b = calloc(1, SIZE);

	lead(a, b);
	lead(b, a);
	a->other = lead(calloc(1, SIZE), calloc(1, SIZE));
	b->other = lead(calloc(1, SIZE), calloc(1, 208));
	STORED(b);
}

CASE circle_from_outside(void) // lost 16/1, holds 128/2
{
	struct node *head = calloc(1, 16), *a = calloc(1, SIZE), *b = calloc(1, SIZE);

	lead(a, b);
	lead(b, a);
	lead(head, b);
}

/* Memcheck comes to the circle first. */
CASE circle_from_a_later_one(void) // lost 16/1, holds 128/2
{
	struct node *a = calloc(1, SIZE), *b = calloc(1, SIZE), *head = calloc(1, 16);

	lead(a, b);
	lead(b, a);
	lead(head, b);
}

CASE both_ways(void) // lost 16/1, holds 640/10
{
	struct node *head = calloc(1, 16), *last = NULL;

	for (int i = 0; i < 10; i++) {
		struct node *node = calloc(1, SIZE);

		node->other = last;
		lead(last ? last : head, node);
		last = node;
	}
}

NOINLINE static struct node *tree(int depth)
{
	struct node *node = calloc(1, SIZE);

	if (depth > 0) {
		node->next = tree(depth - 1);
		node->other = tree(depth - 1);
	}
	STORED(node);
	return node;
}

CASE trees(void) // lost 128/2, holds 512/8
{
	tree(1);
	tree(2)->more[0] = 1;
}

/* What somebody else can reach isn't held. */
struct node *kept;

CASE partly_kept(void) // lost 64/1, holds 64/1
{
	kept = lead(calloc(1, SIZE), calloc(1, SIZE));
	lead(calloc(1, SIZE), lead(calloc(1, SIZE), kept));
}

int main(void)
{
	RUN(alone);
	RUN(list);
	RUN(list_of_later_ones);
	RUN(two_to_one);
	RUN(by_their_inside);
	RUN(to_itself);
	RUN(circle);
	RUN(circle_with_more);
	RUN(circle_from_outside);
	RUN(circle_from_a_later_one);
	RUN(both_ways);
	RUN(trees);
	RUN(partly_kept);
	return 0;
}
