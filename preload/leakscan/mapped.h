/* SPDX-License-Identifier: MIT */
/* mapped.h - what an allocator other than the C library's has mapped: its blocks, and what it notes about them. */
#ifndef MTRACE_MAPPED_H
#define MTRACE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/os.h"

#pragma GCC visibility push(hidden)

/* Behind each mapping that was made, and before each that goes. */
void mapped_note(uintptr_t start, size_t size, uintptr_t caller);
void mapped_forget(uintptr_t start, size_t size);

/* The pieces that are an allocator's, in order of address: from *i on; false: no more. */
bool mapped_next(size_t *i, struct os_range *range);

/* Around an address; false: it is in none that is known. */
bool mapped_around(uintptr_t address, struct os_range *range);

#pragma GCC visibility pop

#endif
