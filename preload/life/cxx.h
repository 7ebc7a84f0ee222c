/* SPDX-License-Identifier: MIT */
/* cxx.h - the C++ library's operator new and delete, which our hooks stand in front of. */
#ifndef MTRACE_CXX_H
#define MTRACE_CXX_H

#include <stdbool.h>

#include "preload/sys/atomic.h"

enum cxx_function {
	NEW,
	NEW_ARRAY,
	NEW_NOTHROW,
	NEW_ARRAY_NOTHROW,
	NEW_ALIGNED,
	NEW_ARRAY_ALIGNED,
	NEW_ALIGNED_NOTHROW,
	NEW_ARRAY_ALIGNED_NOTHROW,
	DELETE,
	DELETE_ARRAY,
	DELETE_NOTHROW,
	DELETE_ARRAY_NOTHROW,
	DELETE_SIZED,
	DELETE_ARRAY_SIZED,
	DELETE_ALIGNED,
	DELETE_ARRAY_ALIGNED,
	DELETE_ALIGNED_NOTHROW,
	DELETE_ARRAY_ALIGNED_NOTHROW,
	DELETE_SIZED_ALIGNED,
	DELETE_ARRAY_SIZED_ALIGNED,
	CXX_FUNCTIONS
};

#pragma GCC visibility push(hidden)

extern void *next_cxx[CXX_FUNCTIONS];
/* they are defined where malloc is: they don't come through our malloc */
extern bool cxx_beside_malloc;

void cxx_init(void);			/* at the start, while nobody else runs */
void *cxx_resolve(enum cxx_function f); /* NULL: there is none */

#pragma GCC visibility pop

static inline void *next_of(enum cxx_function f)
{
	return load_acquire(&next_cxx[f]);
}

#endif
