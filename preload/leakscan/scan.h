/* SPDX-License-Identifier: MIT */
/*
 * scan.h - who points to the live blocks: what is lost, and what can still be reached.
 *
 * Runs in a child of the process that was forked for it, on the memory as it was at that moment, as
 * memcheck and LeakSanitizer do: from the roots (roots.h) each word that is an address of a live
 * block leads to that block and what it holds. A pointer to a block's start makes it reachable, one
 * to its inside only possibly so.
 *
 *   scan.c      marks blocks and adds them up by site
 *   blocks.c    lists the live blocks, and finds them by address (blocks.h)
 *   scanmem.c   has the memory for that
 *   words.c     reads memory (words.h), of which sift.c tells what may be an address
 *   roots.c     finds the memory to start from
 *   threads.c   stops other threads, and reads their registers
 *   snapshot.c  forks, waits a little, and takes requests
 */
#ifndef MTRACE_SCAN_H
#define MTRACE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/leakscan/threads.h"

#pragma GCC visibility push(hidden)

/* Marks what the words in [start, end) point to. Private: what was never touched of it is zeros. */
void scan_root(uintptr_t start, uintptr_t end, bool private);
void scan_root_by(uintptr_t start, uintptr_t end, bool private, void (*take)(uintptr_t word));
void scan_word(uintptr_t word);
bool scan_out_of_time(void);

/* Is there a live block that begins in [start, end)? The first of them; 0 = none. */
uintptr_t scan_first_block(uintptr_t start, uintptr_t end);
uintptr_t scan_block_at(uintptr_t address); /* the start of the one that it lies in; 0 = none */

/* Pairs of sites in MT_HELD at the most, where the trace grows by what is to be written; 0: there is room,
 * as it may not grow any more. */
extern uint64_t scan_grows_to;

/* In the child: scans and fills MT_LEAKS and MT_HELD. False: no memory, or not done at
 * `until`, as os_time() has it. Blind: registers aren't known that may hold pointers. `find_roots` calls
 * scan_root() on all memory that belongs to no allocator. */
struct scan_stack;
bool scan(bool (*find_roots)(const struct scan_stack *stacks, size_t count),
	const struct scan_stack *stacks, size_t count, bool blind, uint64_t until);

#pragma GCC visibility pop

#endif
