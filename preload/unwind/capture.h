/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * capture.h - the stack of this call, by verified reuse of the thread's earlier stacks.
 *
 * What lies outside of a frame is a pure function of its sp, pc (and bp, where the way out depends
 * on it) and of some words of the stack: the return addresses, and saved frame pointers. So a stack
 * that was walked once is proved to be there again by reading those words, its guard words. Two
 * things are cached:
 *
 *   cached frames   one stack, outermost first, with the guard words of all its frames
 *   cached stacks   many; each has the guard words of its inner frames and a base: a cached frame,
 *                   whose guard words prove the rest
 *
 *   frames   main  run  parse  list  item         stacks   list  text  malloc
 *                               |                          parse  name  malloc
 *                               '-- list  text  malloc     ...
 *
 * Looked at in this order: the cached frames themselves, for an event on the same stack again; the
 * stacks that came after the last event's the last times (the successor cache); those with the same
 * innermost frame (the recent stacks). Else it is walked by rules. The first few frames of a walk
 * are looked up among the prefix hints, which say which entry of the successor cache they led to
 * the last time, whatever came before, or that more frames are needed to say that. Only a stack
 * that no such entry has is walked on to the first frame that is a cached one; its frames are then
 * cached, and it becomes a recent stack and a successor.
 *
 * How far out a base lies is a question of cost alone. An entry has few guard words at first. One
 * whose stack was walked again, because the base had gone that these reach, gets as many as reach
 * the frames that it had in common with the stack before: a cycle of stacks that differ in all
 * frames is soon one of entries that have nothing but their outermost frames for a base.
 *
 * Except in the successor cache, guard words are read innermost first and no further than the first
 * difference, so each address that is read belongs to a frame that was just proved to be there.
 * Where that may have led out of the stack (to another one, which may be unmapped first; beyond the
 * top of one that was made by hand), a guard word that never holds stands before: such stacks are
 * walked each time.
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

/* The slow path: no cached stack was found. Returns the entry of the successor cache that has the
 * stack after all, or this slot, which capture_find() gave: then the stack's frames are cached (the
 * innermost: t->top), and the stack is in that slot of the recent stacks and in the successor
 * cache. (The arguments travel in registers, a struct would be spilled on the common path too.) */
struct cached_stack *capture_walk(struct thread *t, struct cached_stack *cache_slot, uintptr_t sp,
	uintptr_t pc, uintptr_t bp);

/* Of the stack that was just walked and that no site is known for: interns it. The site is 0 where
 * there is no room. */
uint32_t capture_new_site(struct thread *t, struct cached_stack *stack);
uint32_t capture_new_node(struct thread *t, struct cached_stack *stack); /* makes no site */

/* While pages may still be asked about: stacks that grow down to `to` will be readable. */
void capture_widen(struct thread *t, uintptr_t to);
#pragma GCC visibility pop

/* The first guard word that fails, from c outwards; the sentinel, which always fails: all hold. */
static always_inline const struct guard_word *capture_verify(const struct guard_word *c)
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
static inline void check_walk(
	const struct thread *t, const struct cached_stack *stack, struct cpu_frame at)
{
	(void)t;
	(void)stack;
	(void)at;
}
#endif

/* Is the base of a cached stack still there, with all that lies outside of it? */
static always_inline bool capture_base_holds(
	const struct thread *t, const struct cached_frame *base, bool identical)
{
	return likely(base <= t->top && identical) &&
	       likely(capture_verify(base->last) == t->guard_words);
}

/* ---- the successor cache */

extern const uint64_t capture_factors[2 + SUCCESSOR_MOST] __attribute__((visibility("hidden")));

static always_inline struct successor_tail *capture_tail(
	const struct thread *t, const struct successor *successor)
{
	return &t->tails[successor - t->successors];
}

static always_inline uint64_t capture_proof(const struct thread *t,
	const struct successor *successor, struct cpu_frame at, const struct cached_frame *base)
{
	const uint64_t *factors = capture_factors + 2;
	const uintptr_t *words = (const uintptr_t *)at.sp;
	uint64_t sum = base->identity + at.pc * factors[-2] +
		       (at.bp & -(uint64_t)successor->uses_bp) * factors[-1];
	const uint16_t *more;

#pragma GCC unroll 8
	for (int i = 0; i < SUCCESSOR_FEW; i++)
		sum += words[successor->words[i]] * factors[i];
	if (successor->read == SUCCESSOR_FEW)
		return sum;
#pragma GCC unroll 8
	for (int i = SUCCESSOR_FEW; i < SUCCESSOR_WORDS; i++)
		sum += words[successor->words[i]] * factors[i];
	if (likely(successor->read == SUCCESSOR_WORDS))
		return sum;
	more = capture_tail(t, successor)->words - SUCCESSOR_WORDS;
	for (uint32_t i = SUCCESSOR_WORDS; i < successor->read; i += 4)
		sum += words[more[i]] * factors[i] + words[more[i + 1]] * factors[i + 1] +
		       words[more[i + 2]] * factors[i + 2] + words[more[i + 3]] * factors[i + 3];
	return sum;
}

static always_inline struct successor *capture_successor_of(const struct thread *t, uint32_t site)
{
	return &t->successors[site & ((1u << SUCCESSOR_BITS) - 1)];
}

/* This stack is the last event's: what came after it the last times is fetched, with the sites'
 * counters if these are what is counted in (`single`). */
static always_inline void capture_expect(struct thread *t, struct cached_stack *stack, bool single)
{
	t->latest = stack;
	__builtin_prefetch(capture_successor_of(t, stack->next), 1);
	__builtin_prefetch(capture_successor_of(t, stack->other), 1);
	if (t->tails)
		__builtin_prefetch(capture_tail(t, capture_successor_of(t, stack->next)));
	if (single) {
		__builtin_prefetch(&trace.sites[stack->next], 1);
		__builtin_prefetch(&trace.sites[stack->other], 1);
	}
}

/* After the last event's stack came one of this site. */
static always_inline void capture_link(struct thread *t, uint32_t site)
{
	if (t->latest->next == site)
		return;
	t->latest->other = t->latest->next;
	t->latest->next = site;
}

/* The event has this stack. */
static always_inline void capture_move_on(struct thread *t, struct cached_stack *stack, bool single)
{
	capture_link(t, stack->site);
	capture_expect(t, stack, single);
}

/* Is this entry, with the same stack pointer, the current stack? */
static always_inline bool capture_proves(
	const struct thread *t, const struct successor *successor, struct cpu_frame at)
{
	const struct cached_frame *base = &t->cached[successor->base];

	return capture_base_holds(
		t, base, capture_proof(t, successor, at, base) == successor->proof);
}

static always_inline struct cached_stack *capture_successor(
	struct thread *t, struct cpu_frame at, bool single)
{
	struct successor *successor = capture_successor_of(t, t->latest->next);

	if (successor->sp != at.sp) {
		successor = capture_successor_of(t, t->latest->other);
		if (successor->sp != at.sp)
			return NULL;
	}
	if (!capture_proves(t, successor, at))
		return NULL;
	capture_move_on(t, &successor->stack, single);
	return &successor->stack;
}

/* ---- recent stacks */

static always_inline const uintptr_t *capture_word(const struct recent_stack *recent, uint32_t i)
{
	return (const uintptr_t *)(recent->sp + recent->words[i]);
}

/* The first guard word that differs, or RECENT_WORDS. */
static always_inline uint32_t capture_failed(const struct recent_stack *recent)
{
#pragma GCC unroll 8
	for (uint32_t i = 0; i < RECENT_WORDS; i++)
		if (*capture_word(recent, i) != recent->values[i])
			return i;
	return RECENT_WORDS;
}

/* The current stack among the recent ones, or NULL and the slot that it then gets. Stacks that have
 * the same innermost frame are told apart by the first word in which they differ: an entry whose
 * guard word differs leads to the slot for what was found instead. Stack pointers are multiples of
 * 16. */
static always_inline struct cached_stack *capture_recent(
	struct thread *t, struct cpu_frame at, bool single, struct cached_stack **cache_slot)
{
	uint64_t key = (at.sp << 3) + at.pc;

	for (int hop = 0; hop <= RECENT_HOPS; hop++) {
		struct recent_stack *recent = &t->recent[key * HASH_FACTOR >> (64 - RECENT_BITS)];
		const struct cached_frame *base = &t->cached[recent->base];
		uint32_t failed;

		*cache_slot = &recent->stack;
		if (recent->sp != at.sp || recent->pc != at.pc ||
			(recent->needs_bp && recent->bp != at.bp))
			return NULL;
		failed = capture_failed(recent);
		if (likely(failed == RECENT_WORDS)) {
			if (!capture_base_holds(t, base, base->identity == recent->base_identity))
				return NULL;
			if (t->uses_successors)
				capture_move_on(t, &recent->stack, single);
			return &recent->stack;
		}
		key += *capture_word(recent, failed);
	}
	return NULL;
}

/* Are the cached frames the current stack? */
static always_inline struct cached_stack *capture_again(
	struct thread *t, struct cpu_frame at, bool single)
{
	const struct cached_frame *top = t->top;

	if (top->sp != at.sp || top->pc != at.pc || !t->top_stack.site ||
		(top->needs_bp && top->bp != at.bp) || capture_verify(top->last) != t->guard_words)
		return NULL;
	if (t->uses_successors && t->latest != &t->top_stack)
		capture_move_on(t, &t->top_stack, single);
	return &t->top_stack;
}

static always_inline struct cached_stack *capture_find(
	struct thread *t, struct cpu_frame at, bool single, struct cached_stack **cache_slot)
{
	struct cached_stack *stack = capture_again(t, at, single);

	if (!stack && t->uses_successors)
		stack = capture_successor(t, at, single);
	if (!stack)
		stack = capture_recent(t, at, single, cache_slot);
	return stack;
}

/* The current stack. Its site is 0 when it has none yet: record_new_site() has to be next. */
static always_inline struct cached_stack *capture(struct thread *t, struct cpu_frame at)
{
	struct cached_stack *cache_slot, *stack = capture_find(t, at, false, &cache_slot);

	if (likely(stack))
		return stack;
	return capture_walk(t, cache_slot, at.sp, at.pc, at.bp);
}

/* The current stack's node, for what is no allocation and has no site. */
static inline uint32_t capture_node(struct thread *t, struct cpu_frame at)
{
	struct cached_stack *stack = capture(t, at);

	return stack->site ? trace.site_info[stack->site].node : capture_new_node(t, stack);
}

#endif
