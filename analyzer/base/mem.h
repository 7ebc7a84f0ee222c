/* SPDX-License-Identifier: MIT */
/*
 * mem.h - memory that is there or ends the program with one line: mtracer has nothing to save.
 *
 * Sizes come from the caller's own counts; where a count comes from a trace it must have been
 * checked against the file's size first (trace.c does).
 */
#ifndef MTRACER_MEM_H
#define MTRACER_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));

/* Room for one more in a growing array: `array` has `count` items used and *room allocated. */
void *mem_grow(void *array, size_t count, size_t *room, size_t item_size)
	__attribute__((returns_nonnull));

#define VEC_PUSH(array, count, room, item)                                       \
	do {                                                                     \
		(array) = mem_grow((array), (count), &(room), sizeof(*(array))); \
		(array)[(count)++] = (item);                                     \
	} while (0)

#endif
