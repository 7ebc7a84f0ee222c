/* SPDX-License-Identifier: MIT */
/*
 * companion.h - what libmtrace.so offers to the objects beside it that define an allocator's own
 * functions (mallocx, mi_malloc, tc_malloc, ...).
 *
 * They are objects of their own, since some programs take the mere existence of mallocx for a sign
 * of jemalloc. A companion forwards to the next definition as our hooks do and tells what happened
 * here, with the frame of its caller, so that stacks end where the program called. Where
 * libmtrace.so isn't loaded, it only forwards.
 */
#ifndef MTRACE_COMPANION_H
#define MTRACE_COMPANION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/cpu.h"

/* What was known of a block that is being resized. */
struct companion_taken {
	uint64_t words[4];
};

struct companion {
	/* The whole object that a function is in: the allocator, whose calls of itself don't
	 * count. */
	bool (*object_of)(const void *function, uintptr_t *start, uintptr_t *end);

	/* Before a call that allocates. What it gives tells afterwards whether a hook inside it has
	 * recorded the block. */
	void *(*last)(void);

	void (*allocated)(void *block, size_t size, struct cpu_frame at, void *last);
	void (*freeing)(void *block, struct cpu_frame at); /* before it is freed */

	/* Before a resize; then one of the others. */
	struct companion_taken (*take)(void *block);
	void (*kept)(void *block, struct companion_taken taken); /* it failed: nothing changed */
	void (*moved)(void *block, struct companion_taken taken, void *to, size_t size,
		struct cpu_frame at, void *last); /* `to` NULL: it was freed */
};

/* The number goes up when the struct changes. */
const struct companion *mtrace_companion_1(void) __attribute__((weak, visibility("default")));

#endif
