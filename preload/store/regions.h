/* SPDX-License-Identifier: MIT */
/*
 * regions.h - the anonymous mappings that are there (MTRACE_MMAP=1), and which site each belongs
 * to.
 *
 * A mapping may be unmapped, moved or mapped over in pieces. It counts as one block until its last
 * byte is gone; its bytes go piece by piece.
 */
#ifndef MTRACE_REGIONS_H
#define MTRACE_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/sys/lock.h"

#pragma GCC visibility push(hidden)

/* [start, start + size) is a new mapping of this site. What is known there has been mapped over. */
void regions_add(struct thread *t, uintptr_t start, size_t size, uint32_t site);

/* Nothing is mapped in [start, start + size) any more. */
void regions_remove(struct thread *t, uintptr_t start, size_t size);

/* Nothing is known of any mapping from here on. With regions_lock held. */
void regions_clear(void);

/* Is there a mapping of ours at the address? */
bool regions_known(uintptr_t address);

/* Pieces are in order, apart from each other and not empty, and each mapping has as many as it counts.
 * With regions_lock held. For assertions. */
bool regions_are_valid(void);

extern struct lock regions_lock; /* taken before all others */

#pragma GCC visibility pop

#endif
