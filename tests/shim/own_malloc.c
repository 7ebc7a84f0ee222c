/* SPDX-License-Identifier: MIT */
/*
 * own_malloc.c - a program that brings its own malloc, exported by the executable.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Alignas(16) char arena[1 << 22];
static size_t used;

void *malloc(size_t size)
{
	size_t start = used + 16;

	if (size > sizeof(arena) - start)
		return NULL;
	memcpy(arena + start - 16, &size, sizeof(size));
	used = (start + size + 15) & ~(size_t)15;
	return arena + start;
}

void free(void *block)
{
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size);
}

void *realloc(void *block, size_t size)
{
	size_t old = 0;
	void *copy = malloc(size);

	if (block)
		memcpy(&old, (char *)block - 16, sizeof(old));
	if (copy && old)
		memcpy(copy, block, old < size ? old : size);
	return copy;
}

int main(void)
{
	char *block = malloc(100);

	strcpy(block, "own malloc\n");
	block = realloc(block, 200);
	block = reallocarray(block, 2, 150); /* the C library's, which calls realloc */
	return write(1, block, strlen(block)) != 11;
}
