/* SPDX-License-Identifier: MIT */
/*
 * places.c - a program that knows where its code is: each line of its output is an address in its
 * file, then the functions that the address is in, as "function:line", innermost first. Compiled
 * many ways; the symbolizer has to say the same.
 */
#include <link.h>
#include <stdint.h>
#include <stdio.h>

/* One function and the line in it where the next inner one is called. */
struct place {
	const char *function;
	int line;
	const struct place *up; /* what it is inlined into; NULL = nothing */
};

/* A call must be the whole of its line, and no tail call. */
#define PLACE(up) (&(const struct place){ __func__, __LINE__, up })
#define KEEP __asm__ volatile("" ::: "memory")
#define INLINED static inline __attribute__((always_inline))
#define OWN static __attribute__((noinline))

static uintptr_t bias;

/* Tells the place of its caller's call. */
OWN void tell(const struct place *place)
{
	printf("%lx", (unsigned long)((uintptr_t)__builtin_return_address(0) - 1 - bias));
	for (; place; place = place->up)
		printf(" %s:%d", place->function, place->line);
	printf("\n");
}

#include "../symbolize/./places.h"

INLINED void leaf(const struct place *up)
{
	tell(PLACE(up));
	KEEP;
}

INLINED void middle(const struct place *up)
{
	{
		int block = 1;

		__asm__ volatile("" : "+r"(block));
		if (block)
			leaf(PLACE(up));
	}
	leaf(PLACE(up));
	in_header(PLACE(up));
}

OWN void outer(void)
{
	middle(PLACE(NULL));
	leaf(PLACE(NULL));
	tell(PLACE(NULL));
	KEEP;
	middle(PLACE(NULL));
}

/* Its recursive calls are its own, and so are its lines. */
OWN void recursive(int depth)
{
	if (depth > 0)
		recursive(depth - 1);
	leaf(PLACE(NULL));
}

__attribute__((visibility("default"), noinline)) void exported(void);

void exported(void)
{
	tell(PLACE(NULL));
	KEEP;
}

static int find_bias(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	bias = info->dlpi_addr;
	return 1; /* the program itself comes first */
}

int main(void)
{
	dl_iterate_phdr(find_bias, NULL);
	outer();
	recursive(2);
	exported();
	return 0;
}
