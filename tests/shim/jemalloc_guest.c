/* SPDX-License-Identifier: MIT */
/*
 * jemalloc_guest.c - a library to preload that uses the private jemalloc and nothing else of the tracer.
 */
#include <stdint.h>
#include <string.h>

#include "private_jemalloc.h"

__attribute__((visibility("default"))) int guest_check(void);

static int option_is(const char *name, const void *wanted, size_t size)
{
	char value[64] = { 0 };
	size_t length = size;

	return mtje_mallctl(name, value, &length, NULL, 0) == 0 && length == size &&
	       memcmp(value, wanted, size) == 0;
}

static int options_are_ours(void)
{
	const unsigned one_arena = 1;
	const _Bool no = 0;

	return option_is("opt.narenas", &one_arena, sizeof(one_arena)) &&
	       option_is("opt.tcache", &no, sizeof(no)) &&
	       option_is("opt.stats_print", &no, sizeof(no)) &&
	       option_is("opt.background_thread", &no, sizeof(no));
}

static int allocations_work(void)
{
	char *blocks[200];

	for (int i = 0; i < 200; i++) {
		blocks[i] = mtje_mallocx(i * 97 + 1, MTJE_ALIGN(64) | MTJE_ZERO);
		if (!blocks[i] || (uintptr_t)blocks[i] % 64 || blocks[i][i * 97] != 0)
			return 0;
		memset(blocks[i], i, i * 97 + 1);
	}
	for (int i = 0; i < 200; i++) {
		blocks[i] = mtje_rallocx(blocks[i], i * 200 + 1, 0);
		if (!blocks[i] || blocks[i][i * 97] != (char)i)
			return 0;
		mtje_dallocx(blocks[i], 0);
	}
	return 1;
}

/* 0, or the number of what failed. */
int guest_check(void)
{
	mtje_enter();
	if (!options_are_ours())
		return 1;
	return allocations_work() ? 0 : 2;
}
