/* SPDX-License-Identifier: MIT */
/* mem.c - allocation that can't fail, for a program that has nothing to save. */
#include "analyzer/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
	if (!memory) {
		fputs("mtracer: out of memory\n", stderr); /* not die(): it takes memory */
		exit(2);
	}
	return memory;
}

void *mem_alloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *mem_zalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	return or_die(reallocarray(old, count ? count : 1, size));
}

char *mem_strdup(const char *text)
{
	return or_die(strdup(text));
}

void *mem_grow(void *array, size_t count, size_t *room, size_t item_size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	return mem_resize(array, *room, item_size);
}
