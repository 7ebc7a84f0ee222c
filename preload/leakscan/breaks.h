/* SPDX-License-Identifier: MIT */
/* breaks.h - what was taken by sbrk() or brk(): the C library's allocator doesn't come by there. */
#ifndef MTRACE_BREAKS_H
#define MTRACE_BREAKS_H

#include <stddef.h>
#include <stdint.h>

#define MOST_BREAKS 256u

struct own_break {
	uintptr_t start, end;
	uintptr_t caller; /* maybe an allocator's */
};

#pragma GCC visibility push(hidden)

extern struct own_break breaks[MOST_BREAKS];
extern size_t breaks_count;

/* The break was moved, by the code at `caller`. As the break itself, not by two threads at a time. */
void breaks_note(uintptr_t from, uintptr_t to, uintptr_t caller);

#pragma GCC visibility pop

#endif
