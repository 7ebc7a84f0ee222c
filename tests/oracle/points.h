/* SPDX-License-Identifier: MIT */
/*
 * points.h - allocation points: one function a line for each way to allocate.
 *
 * A point's expression sees `size`, and `old` where it resizes a block. The asm keeps the compiler from merging
 * points that differ by their line only, and from jumping to malloc instead of calling it, which would leave
 * no frame to find.
 */
#ifndef POINTS_H
#define POINTS_H

#include <malloc.h>
#include <stdlib.h>

struct way {
	int line;
	int factor; /* bytes asked for: factor * size */
	void *(*call)(void *old, size_t size);
};

#define KEEP(block) __asm__ volatile("# line %c1" : "+r"(block) : "i"(__LINE__))

/* clang-format off */

/* One call instruction. */
#define POINT(name, expression) \
	enum { name##_line = __LINE__ }; \
	static __attribute__((noinline)) void *name(void *old, size_t size) \
	{ \
		void *block = (expression); \
		KEEP(block); \
		return block; \
	}

/* Inlined at two places, which differ lest they be merged: two call instructions for one line. */
#define INLINED_POINT(name, expression) \
	enum { name##_line = __LINE__ }; \
	static inline __attribute__((always_inline)) void *name##_body(void *old, size_t size) \
	{ \
		void *block = (expression); \
		KEEP(block); \
		return block; \
	} \
	static __attribute__((noinline)) void *name(void *old, size_t size) \
	{ \
		void *block; \
		if (size & 1) { \
			__asm__ volatile("# odd" : "+r"(size)); \
			block = name##_body(old, size); \
			__asm__ volatile("# odd"); \
		} else { \
			__asm__ volatile("# even" : "+r"(size)); \
			block = name##_body(old, size); \
			__asm__ volatile("# even"); \
		} \
		return block; \
	}

/* clang-format on */

#define WAY(name, factor) { name##_line, factor, name }

#endif
