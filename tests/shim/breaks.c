/* SPDX-License-Identifier: MIT */
/*
 * breaks.c - the program break, which counts with the mappings. malloc moves it too, but not by these functions.
 */
//! MTRACE_MMAP=1
#include <stdint.h>
#include <unistd.h>

#include "program.h"

int main(void)
{
	char *start = sbrk(0);
	char *first = sbrk(10000);  //= count 1, total 10000, current 6000, blocks 1, peak 10000
	char *second;

	CHECK(first == start);
	first[9999] = 1;
	CHECK(sbrk(-4000) == start + 10000);
	CHECK(sbrk(0) == start + 6000);
	CHECK(brk(start + 50000) == 0);  //= count 1, total 44000, current 4000, blocks 1, peak 44000
	second = sbrk(3000);  //= count 1, total 3000, peak 3000
	CHECK(second == start + 50000);
	CHECK(brk(start + 10000) == 0);
	CHECK(brk(start + 10000) == 0);
	CHECK(sbrk((intptr_t)1 << 46) == (void *)-1 && errno == ENOMEM);
	CHECK(brk((char *)-4096) == -1 && errno == ENOMEM);
	free(malloc(300000));  //= count 1, total 300000, peak 300000
	free(malloc(100000));  //= count 1, total 100000, peak 100000
	puts("done");
	return 0;
}
