/* clang-format off */
/*
 * capture.h - the stack of this call, by verified reuse of the thread's earlier stacks.
 *
 * What lies outside of a frame is a pure function of its sp, pc (and bp, where the way out depends
 * on it) and of some words of the stack: the return addresses, and saved frame pointers. So a stack
 * that was walked once is proved to be there again by reading those words. Two things are kept:
 *
 *   the kept frames    one stack, outermost first, with the words of all its frames
 *   leaves             many stacks, by their innermost frame; each has the words of its inner
 *                      frames and hangs on a kept frame, whose words prove the rest
 *
 *   kept    main  run  parse  list  item          leaves   list  text  malloc
 *                              |                           parse  name  malloc
 *                              '-- list  text  malloc      ...
 *
 * Only a stack that no leaf has is walked by rules, from the innermost frame to the first that is
 * a kept one; it is then kept itself, and gets a leaf.
 *
 * The words are read innermost first and no further than the first difference, so each address that
 * is read belongs to a frame that was just proved to be there.
 */
/* clang-format on */
#ifndef MTRACE_CAPTURE_H
#define MTRACE_CAPTURE_H

#include "preload/stacks.h"
#include "preload/thread.h"

#pragma GCC visibility push(hidden)

/* The other path: the stack differs. Keeps the new stack in the thread (innermost frame: t->top)
 * and in the leaf. (The arguments travel in registers, a struct would be spilled on the common path
 * too.) */
void capture_walk(struct thread *t, struct leaf *leaf, uintptr_t sp, uintptr_t pc, uintptr_t bp);

/* While pages may still be asked about: stacks that grow down to `to` will be readable. */
void capture_widen(struct thread *t, uintptr_t to);
#pragma GCC visibility pop

/* The first check that fails, from c outwards; the guard, which always fails: all hold. */
static always_inline const struct check *capture_verify(const struct check *c)
{
	for (;; c -= 4) {
		if (*c[0].address != c[0].value)
			return c;
		if (*c[-1].address != c[-1].value)
			return c - 1;
		if (*c[-2].address != c[-2].value)
			return c - 2;
		if (*c[-3].address != c[-3].value)
			return c - 3;
	}
}

#ifdef CHECK_WALK
#include "tests/walk/check_walk.h"
#else
static inline void check_walk(const struct thread *t, const struct leaf *leaf, struct cpu_frame at)
{
	(void)t;
	(void)leaf;
	(void)at;
}
#endif

/* Is what the leaf hangs on still there? */
static always_inline bool capture_base_holds(const struct thread *t, const struct leaf *leaf)
{
	const struct kept *base = &t->kept[leaf->base];

	return likely(base <= t->top && base->sp == leaf->base_sp &&
		       base->node == leaf->base_node &&
		       (!base->needs_bp || base->bp == leaf->base_bp)) &&
	       likely(capture_verify(base->last) == t->checks);
}

static always_inline const uintptr_t *capture_word(const struct leaf *leaf, uint32_t i)
{
	return (const uintptr_t *)(leaf->sp + leaf->words[i]);
}

/* The first check of the leaf that fails, or LEAF_CHECKS. */
static always_inline uint32_t capture_failed(const struct leaf *leaf)
{
#pragma GCC unroll 8
	for (uint32_t i = 0; i < LEAF_CHECKS; i++)
		if (*capture_word(leaf, i) != leaf->values[i])
			return i;
	return LEAF_CHECKS;
}

/*
 * The leaf of the current stack, or NULL and the place where it belongs. Stacks that have the same
 * innermost frame are told apart by the first word in which they differ: a leaf whose check fails
 * leads to the place for what was found instead. Stack pointers are multiples of 16.
 */
static always_inline struct leaf *capture_find(
	const struct thread *t, struct cpu_frame at, struct leaf **place)
{
	uint64_t key = (at.sp << 3) + at.pc;
	struct leaf *leaf;
	uint32_t failed;

	for (int hop = 0; hop <= LEAF_HOPS; hop++) {
		leaf = *place = &t->leaves[key * HASH_FACTOR >> (64 - LEAF_BITS)];
		if (leaf->sp != at.sp || leaf->pc != at.pc || (leaf->needs_bp && leaf->bp != at.bp))
			return NULL;
		failed = capture_failed(leaf);
		if (likely(failed == LEAF_CHECKS))
			return capture_base_holds(t, leaf) ? leaf : NULL;
		key += *capture_word(leaf, failed);
	}
	return NULL;
}

/* The current stack. The leaf's site is 0 when it has none yet: record_new_site() has to be next.
 */
static always_inline struct leaf *capture(struct thread *t, struct cpu_frame at)
{
	struct leaf *place, *leaf = capture_find(t, at, &place);

	if (unlikely(!leaf)) {
		capture_walk(t, place, at.sp, at.pc, at.bp);
		leaf = place;
	}
	check_walk(t, leaf, at); /* nothing, except in a build that tests the capture */
	return leaf;
}

/* The current stack's node, for what is no allocation and has no site. */
static inline uint32_t capture_node(struct thread *t, struct cpu_frame at)
{
	struct leaf *place, *leaf = capture_find(t, at, &place);

	if (leaf)
		return trace.site_info[leaf->site].node;
	capture_walk(t, place, at.sp, at.pc, at.bp);
	return t->top->node;
}

#endif
