/* SPDX-License-Identifier: MIT */
/* heap.h - the library's own memory, apart from the program's. */
#ifndef MTRACE_HEAP_H
#define MTRACE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/sys/lock.h"

#pragma GCC visibility push(hidden)

bool heap_init(void);	       /* where it may not begin later; false: no memory */
void *heap_alloc(size_t size); /* zeroed; NULL */
void heap_free(void *p);
size_t heap_used(void);	      /* as far as it is known at once */
extern struct lock heap_lock; /* the last of all; fork.c takes it too */

#pragma GCC visibility pop

#endif
