/* SPDX-License-Identifier: MIT */
/* allocators.h - the allocators that a program can be run with: --allocator of `mtracer run`. */
#ifndef MTRACER_ALLOCATORS_H
#define MTRACER_ALLOCATORS_H

#include <stddef.h>

struct allocator {
	char *name; /* as it was asked for */
	char *path; /* of the library to be preloaded; NULL: the C library's, which needs none */
};

struct allocators {
	struct allocator *items;
	size_t count;
};

/* "glibc,jemalloc,/a/library.so". NULL when all is well, else what is wrong, which the caller
 * frees.
 */
char *allocators_find(const char *list, struct allocators *found);
void allocators_release(struct allocators *allocators);

#endif
