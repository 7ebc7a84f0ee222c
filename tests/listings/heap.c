/* heap.c - a C program whose memory can be counted by hand: the listing beside is its annotation. */
#include <stdlib.h>
#include <string.h>

#define KEEP(list, size) ((list) = link_to((list), malloc(size)))
#define OWN __attribute__((noinline))

struct node {
	struct node *next;
};

static struct node *link_to(struct node *next, void *memory)
{
	struct node *node = memory;

	__asm__ volatile("" : "+r"(node)); /* or else compilers see that most are only freed again */
	node->next = next;
	return node;
}

/* 10 blocks of 100 bytes, of which 4 stay: peak 1000, current 400. */
OWN static struct node *fill(void)
{
	struct node *list = NULL;

	for (int i = 0; i < 10; i++)
		KEEP(list, 100);
	for (int i = 0; i < 6; i++) {
		struct node *next = list->next;

		free(list);
		list = next;
	}
	return list;
}

/* Each call allocates one block and keeps it while it calls itself: 5 blocks of 64 bytes. */
OWN static size_t descend(int depth)
{
	char *block = malloc(64);
	size_t below = 0;

	__asm__ volatile("" : "+r"(block));
	memset(block, depth, 64);
	if (depth > 1)
		below = descend(depth - 1);
	below += (size_t)block[0];
	free(block);
	return below;
}

/* The cold half of this function is elsewhere in the program, its lines are here. */
OWN static char *rarely(int argc)
{
	char *copy = NULL;

	if (__builtin_expect(argc > 0, 0)) {
		copy = strdup("thirteen byte");
		if (!copy)
			abort();
	}
	return copy;
}

/* Freed before the next allocation: 50 temporary ones. */
OWN static void hurry(void)
{
	for (int i = 0; i < 50; i++) {
		char *volatile moment = malloc(8);

		free(moment);
	}
}

int main(int argc, char **argv)
{
	struct node *list = fill();
	size_t sum = descend(5);
	char *text = rarely(argc);

	(void)argv;
	hurry();
	return sum == 0 && !list && !text;
}
