/* SPDX-License-Identifier: MIT */
/* roots.h - the memory that a scan starts from. */
#ifndef MTRACE_ROOTS_H
#define MTRACE_ROOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/leakscan/threads.h"

#pragma GCC visibility push(hidden)

void roots_init(void); /* at the start */
void roots_before_fork(void);

/* Calls scan_root() on all memory that belongs to no allocator. */
bool roots_scan(const struct scan_stack *stacks, size_t count);

#pragma GCC visibility pop

#endif
