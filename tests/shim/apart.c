/* SPDX-License-Identifier: MIT */
/*
 * apart.c - an allocator's own functions beside the C library's malloc: two heaps, of which one has blocks of 8 bytes, 8
 * bytes apart.
 */
#include "program.h"

void *mallocx(size_t size, int flags);
void dallocx(void *p, int flags);

int main(void)
{
	char *close[1000], *far[1000];

	for (int i = 0; i < 1000; i++) {
		close[i] = mallocx(1 + i % 8, 0);  //= count 1000, total 4500, current 2000, blocks 500, peak 4500
		far[i] = malloc(1 + i % 8);  //= count 1000, total 4500, peak 4500
		CHECK(close[i] && far[i]);
	}
	for (int i = 0; i < 1000; i++) {
		CHECK(i == 0 || close[i] == close[i - 1] + 8);
		if (i % 2)
			dallocx(close[i], 0);
		free(far[i]);
	}
	puts("done");
	return 0;
}
