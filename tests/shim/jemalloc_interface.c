/* SPDX-License-Identifier: MIT */
/*
 * jemalloc_interface.c - jemalloc's mallocx and its relatives.
 */
#include <jemalloc/jemalloc.h>

#include "program.h"

static void plain(void)
{
	char *kept = mallocx(100, 0);  //= count 1, total 100, current 100, blocks 1, peak 100
	char *zeroed = mallocx(64, MALLOCX_ZERO | MALLOCX_ALIGN(4096));  //= count 1, total 64, peak 64
	char *sized = mallocx(1000, MALLOCX_TCACHE_NONE);  //= count 1, total 1000, peak 1000

	CHECK(kept && zeroed && sized);
	CHECK((size_t)zeroed % 4096 == 0 && zeroed[63] == 0);
	dallocx(zeroed, 0);
	sdallocx(sized, 1000, 0);
	dallocx(mallocx(8, 0), 0);  //= count 1, total 8, temporary 1
}

static void resized(void)
{
	char *p = mallocx(10, 0);  //= count 1, total 10, peak 10

	p = rallocx(p, 5000, 0);  //= count 1, total 5000, peak 5000
	CHECK(p);
	CHECK(rallocx(p, (size_t)1 << 62, 0) == NULL);
	p = rallocx(p, 300, MALLOCX_ALIGN(64));  //= count 1, total 300, current 300, blocks 1
	CHECK(p);
}

/* In place or not at all. Size classes near 100 are 96, 112, 128. */
static void in_place(void)
{
	char *p = mallocx(100, 0);  //= count 1, total 100, peak 100

	CHECK(sallocx(p, 0) == 112);
	CHECK(xallocx(p, 110, 0, 0) == 112);  //= count 1, total 110, peak 110
	CHECK(xallocx(p, 5000, 0, 0) == 112);
	CHECK(xallocx(p, 105, 1000, 0) == 112);  //= count 1, total 112, current 112, blocks 1
}

/* The same heap as malloc's. */
static void mixed(void)
{
	char *p = malloc(20);  //= count 1, total 20, peak 20
	char *q = mallocx(30, 0);  //= count 1, total 30, peak 30

	dallocx(p, 0);
	q = realloc(q, 70);  //= count 1, total 70, peak 70
	free(q);
}

int main(void)
{
	plain();
	resized();
	in_place();
	mixed();
	puts("done");
	return 0;
}
