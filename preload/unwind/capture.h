/* clang-format off */
/*
 * capture.h - the stack of this call, by verified reuse of the thread's earlier stacks.
 *
 * What lies outside of a frame is a pure function of its sp, pc (and bp, where the way out depends
 * on it) and of some words of the stack: the return addresses, and saved frame pointers. So a stack
 * that was walked once is proved to be there again by reading those words. Two things are kept:
 *
 *   the kept frames    one stack, outermost first, with the words of all its frames
 *   leaves             many stacks; each has the words of its inner frames and hangs on a kept
 *                      frame, whose words prove the rest
 *
 *   kept    main  run  parse  list  item          leaves   list  text  malloc
 *                              |                           parse  name  malloc
 *                              '-- list  text  malloc      ...
 *
 * Looked at in this order: the kept frames themselves, for an event on the same stack again; the
 * leaves that came after the last event's the last times (the trail); those with the same innermost
 * frame (the near ones). Else it is walked by rules. After a few frames these tell which leaf of the
 * trail they led to the last time, whatever came before. Only a stack that this one hasn't either is
 * walked on to the first frame that is a kept one; it is then kept itself, and gets its leaves.
 *
 * Except on the trail, the words are read innermost first and no further than the first difference,
 * so each address that is read belongs to a frame that was just proved to be there. Where that may
 * have led out of the stack (to another one, which may go first; beyond the top of one that was
 * made by hand), a word that never holds stands before: such stacks are walked each time.
 */
/* clang-format on */
#ifndef MTRACE_CAPTURE_H
#define MTRACE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/hash.h"
#include "preload/unwind/frames.h"

#pragma GCC visibility push(hidden)

/* The other path: no leaf was found. Returns one of the trail that has the stack after all, or this
 * place, which capture_find() told: then the stack is kept in the thread (innermost frame: t->top),
 * in the near leaf there, and on the trail. (The arguments travel in registers, a struct would be
 * spilled on the common path too.) */
struct leaf *capture_walk(
	struct thread *t, struct leaf *place, uintptr_t sp, uintptr_t pc, uintptr_t bp);

/* Of the stack that was just walked and that no site is known for: interns it. The site is 0 where
 * there is no room. */
uint32_t capture_new_site(struct thread *t, struct leaf *leaf);
uint32_t capture_new_node(struct thread *t, struct leaf *leaf); /* makes no site */

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

/* Nothing, except in a build that tests the capture. */
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

/* Is the kept frame that a leaf hangs on still there, with all that lies outside of it? */
static always_inline bool capture_base_holds(
	const struct thread *t, const struct kept *base, bool identical)
{
	return likely(base <= t->top && identical) &&
	       likely(capture_verify(base->last) == t->checks);
}

/* ---- the trail */

extern const uint64_t capture_factors[TRAIL_WORDS + 2] __attribute__((visibility("hidden")));

static always_inline uint64_t capture_proof(
	const struct trail_leaf *leaf, struct cpu_frame at, const struct kept *base)
{
	const uint64_t *factors = capture_factors;
	const uintptr_t *words = (const uintptr_t *)at.sp;
	uint64_t sum = base->identity + at.pc * factors[TRAIL_WORDS] +
		       (at.bp & -(uint64_t)leaf->uses_bp) * factors[TRAIL_WORDS + 1];

#pragma GCC unroll 8
	for (int i = 0; i < TRAIL_FEW; i++)
		sum += words[leaf->words[i]] * factors[i];
	if (leaf->few)
		return sum;
#pragma GCC unroll 8
	for (int i = TRAIL_FEW; i < TRAIL_WORDS; i++)
		sum += words[leaf->words[i]] * factors[i];
	return sum;
}

static always_inline struct trail_leaf *capture_on_trail(const struct thread *t, uint32_t site)
{
	return &t->trail[site & ((1u << TRAIL_BITS) - 1)];
}

/* The leaf is the last event's: what came after it the last times is fetched, with the sites'
 * counters if these are what is counted in (`single`). */
static always_inline void capture_expect(struct thread *t, struct leaf *leaf, bool single)
{
	t->latest = leaf;
	__builtin_prefetch(capture_on_trail(t, leaf->next), 1);
	__builtin_prefetch(capture_on_trail(t, leaf->other), 1);
	if (single) {
		__builtin_prefetch(&trace.sites[leaf->next], 1);
		__builtin_prefetch(&trace.sites[leaf->other], 1);
	}
}

/* After the last event's leaf came this site. */
static always_inline void capture_link(struct thread *t, uint32_t site)
{
	if (t->latest->next == site)
		return;
	t->latest->other = t->latest->next;
	t->latest->next = site;
}

/* The event has this leaf's stack. */
static always_inline void capture_move_on(struct thread *t, struct leaf *leaf, bool single)
{
	capture_link(t, leaf->site);
	capture_expect(t, leaf, single);
}

/* Has this leaf, with the same stack pointer, the current stack? */
static always_inline bool capture_proves(
	const struct thread *t, const struct trail_leaf *leaf, struct cpu_frame at)
{
	const struct kept *base = &t->kept[leaf->base];

	return capture_base_holds(t, base, capture_proof(leaf, at, base) == leaf->proof);
}

static always_inline struct leaf *capture_follow(struct thread *t, struct cpu_frame at, bool single)
{
	struct trail_leaf *leaf = capture_on_trail(t, t->latest->next);

	if (leaf->sp != at.sp) {
		leaf = capture_on_trail(t, t->latest->other);
		if (leaf->sp != at.sp)
			return NULL;
	}
	if (!capture_proves(t, leaf, at))
		return NULL;
	capture_move_on(t, &leaf->leaf, single);
	return &leaf->leaf;
}

/* ---- near leaves */

static always_inline const uintptr_t *capture_word(const struct near_leaf *leaf, uint32_t i)
{
	return (const uintptr_t *)(leaf->sp + leaf->words[i]);
}

/* The first word of the leaf that differs, or NEAR_WORDS. */
static always_inline uint32_t capture_failed(const struct near_leaf *leaf)
{
#pragma GCC unroll 8
	for (uint32_t i = 0; i < NEAR_WORDS; i++)
		if (*capture_word(leaf, i) != leaf->values[i])
			return i;
	return NEAR_WORDS;
}

/* The leaf of the current stack, or NULL and the place of the near leaf that it then gets. Stacks
 * that have the same innermost frame are told apart by the first word in which they differ: a near
 * leaf whose word differs leads to the place for what was found instead. Stack pointers are
 * multiples of 16. */
static always_inline struct leaf *capture_near(
	struct thread *t, struct cpu_frame at, bool single, struct leaf **place)
{
	uint64_t key = (at.sp << 3) + at.pc;

	for (int hop = 0; hop <= NEAR_HOPS; hop++) {
		struct near_leaf *leaf = &t->near[key * HASH_FACTOR >> (64 - NEAR_BITS)];
		const struct kept *base = &t->kept[leaf->base];
		uint32_t failed;

		*place = &leaf->leaf;
		if (leaf->sp != at.sp || leaf->pc != at.pc || (leaf->needs_bp && leaf->bp != at.bp))
			return NULL;
		failed = capture_failed(leaf);
		if (likely(failed == NEAR_WORDS)) {
			if (!capture_base_holds(t, base, base->identity == leaf->base_identity))
				return NULL;
			if (t->follows)
				capture_move_on(t, &leaf->leaf, single);
			return &leaf->leaf;
		}
		key += *capture_word(leaf, failed);
	}
	return NULL;
}

/* Is the kept stack the current one? */
static always_inline struct leaf *capture_again(struct thread *t, struct cpu_frame at, bool single)
{
	const struct kept *top = t->top;

	if (top->sp != at.sp || top->pc != at.pc || !t->top_leaf.site ||
		(top->needs_bp && top->bp != at.bp) || capture_verify(top->last) != t->checks)
		return NULL;
	if (t->follows && t->latest != &t->top_leaf)
		capture_move_on(t, &t->top_leaf, single);
	return &t->top_leaf;
}

static always_inline struct leaf *capture_find(
	struct thread *t, struct cpu_frame at, bool single, struct leaf **place)
{
	struct leaf *leaf = capture_again(t, at, single);

	if (!leaf && t->follows)
		leaf = capture_follow(t, at, single);
	if (!leaf)
		leaf = capture_near(t, at, single, place);
	return leaf;
}

/* The current stack. The leaf's site is 0 when it has none yet: record_new_site() has to be next.
 */
static always_inline struct leaf *capture(struct thread *t, struct cpu_frame at)
{
	struct leaf *place, *leaf = capture_find(t, at, false, &place);

	if (likely(leaf))
		return leaf;
	return capture_walk(t, place, at.sp, at.pc, at.bp);
}

/* The current stack's node, for what is no allocation and has no site. */
static inline uint32_t capture_node(struct thread *t, struct cpu_frame at)
{
	struct leaf *leaf = capture(t, at);

	return leaf->site ? trace.site_info[leaf->site].node : capture_new_node(t, leaf);
}

#endif
