/* SPDX-License-Identifier: MIT */
/*
 * asks_for_jemalloc.c - a program that uses mallocx and its relatives where they exist, as folly does.
 */
#include <string.h>

#include "program.h"

void *mallocx(size_t size, int flags) __attribute__((weak));
void *rallocx(void *p, size_t size, int flags) __attribute__((weak));
size_t xallocx(void *p, size_t size, size_t extra, int flags) __attribute__((weak));
void sdallocx(void *p, size_t size, int flags) __attribute__((weak));

#define ALIGNED_64 6

int main(void)
{
	char *p;

	if (!mallocx || !rallocx || !xallocx || !sdallocx) {
		puts("no jemalloc");
		return 0;
	}
	p = mallocx(100, ALIGNED_64); /* line: mallocx */
	CHECK(p && (size_t)p % 64 == 0);
	memset(p, 1, 100);
	p = rallocx(p, 1000, 0); /* line: rallocx */
	CHECK(p && p[99] == 1);
	CHECK(xallocx(p, 1000, 0, 0) >= 1000);
	sdallocx(p, 1000, 0);
	puts("jemalloc");
	return 0;
}
