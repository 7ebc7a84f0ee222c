/* SPDX-License-Identifier: MIT */
/*
 * sift.h - most words of a program's memory are no addresses of blocks: those that may be one, by
 * their value alone.
 */
#ifndef MTRACE_SIFT_H
#define MTRACE_SIFT_H

#include <stddef.h>
#include <stdint.h>

struct sift_range {
	uintptr_t start, size; /* bytes, less than 2^63 */
};

#define SIFT_SPARE 8 /* words behind the last one that may be written to */

/* Copies those of the words that lie in one of two ranges, in their order. Returns how many;
 * `found` has room for all and SIFT_SPARE more. */
typedef size_t sift_fn(
	const uintptr_t *words, size_t count, const struct sift_range ranges[2], uintptr_t *found);

#pragma GCC visibility push(hidden)

sift_fn sift_plain;
sift_fn *sift_for_cpu(void); /* the fastest that it has */

#pragma GCC visibility pop

#endif
