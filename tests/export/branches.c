/* SPDX-License-Identifier: MIT */
/* branches.c - allocates from very many stacks, or from one that is very deep: branches wide LEVELS | deep FRAMES */
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static void branch(int levels);

/* Neither is a tail call, which would leave no frame. */
__attribute__((noinline)) static void left(int levels)
{
	branch(levels - 1);
	kept = kept;
}

__attribute__((noinline)) static void right(int levels)
{
	branch(levels - 1);
	kept = kept;
}

__attribute__((noinline)) static void branch(int levels)
{
	if (levels == 0) {
		kept = malloc(24);
		return;
	}
	left(levels);
	right(levels);
	kept = kept;
}

static void under(int frames);

__attribute__((noinline)) static void down(int frames)
{
	branch(0);
	if (frames > 1)
		under(frames - 1);
	kept = kept;
}

__attribute__((noinline)) static void under(int frames)
{
	branch(0);
	if (frames > 1)
		down(frames - 1);
	kept = kept;
}

int main(int argc, char **argv)
{
	int size = argc > 2 ? atoi(argv[2]) : 0;

	if (argc > 1 && strcmp(argv[1], "deep") == 0)
		down(size);
	else
		branch(size);
	return 0;
}
