/* SPDX-License-Identifier: MIT */
/* without_tables.c - part of made_stacks.c, compiled without unwind information. */
#include "without_tables.h"

#include <stdlib.h>

__attribute__((noinline)) int no_table_allocates(int n)
{
	void *volatile p = malloc((size_t)n);
	int there = p != NULL;

	free(p);
	return there;
}

/* Many values that live over the call: rbp is one of them. */
__attribute__((noinline)) int no_table_calls(int a, int b, int c, int d, int e)
{
	int sum = no_table_allocates(a + b + c + d + e);

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	return sum + (a ^ b) + (c ^ d) + e;
}

__attribute__((noinline)) int no_table_loops(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += no_table_calls(i, i + 1, i + 2, n, sum & 7);
	return sum;
}
