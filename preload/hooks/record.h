/* SPDX-License-Identifier: MIT */
/*
 * record.h - what every hook does around the real call: stack -> site -> slot -> ledger.
 *
 * Order: a block's slot is emptied before the real free, since the next owner of the address may be
 * another thread; it is filled after the real malloc. realloc takes the slot out before and puts it
 * back if the real one fails.
 *
 * record_new and record_freed do all of it. What their parts begin with is in their suffixes:
 *
 *   _by         the thread is entered, and the caller known
 *   _on         so is the caller's stack
 *   _known      a block whose site and size were read from its slot
 *   _marked     fast path: the thread is marked busy. False: nothing was done, take the slow path
 *   _fast       fast path, all of it, in one of its variants
 *   _if_fast    the same in the variant that events take now, if there is one
 *   _tail       the variant that events take now, or the slow path, as a hook's tail call
 *   _sampled    in the estimates, when sampling
 *
 * record_take, _put_back, _moved and _resized are for realloc, record_last and its like for what is
 * temporary.
 */
#ifndef MTRACE_RECORD_H
#define MTRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/life/begin.h"
#include "preload/life/enter.h"
#include "preload/store/ledger.h"
#include "preload/store/sample.h"
#include "preload/store/slack.h"
#include "preload/store/slots.h"
#include "preload/store/thread.h"
#include "preload/sys/env.h"
#include "preload/sys/next.h"
#include "preload/sys/phase.h"
#include "preload/unwind/capture.h"
#include "preload/unwind/cuts.h"
#include "preload/unwind/modules.h"

#pragma GCC visibility push(hidden)

/* Of the stack that was just walked; false: lost, which has been counted. `calls`: which function
 * was called, MT_FRAME_CALLS or 0. All that may come to a new site hand it on. */
bool record_new_site(struct thread *t, struct cached_stack *stack, uint32_t calls);

/* The last call of operator new[], which may leave no frame: where it returns to, and which form it
 * was. */
struct array_call {
	uintptr_t pc;
	uint32_t calls;
};
extern __thread struct array_call record_array_call __attribute__((tls_model("initial-exec")));

/* There are no slots yet, or what is left of a block that was freed unseen. */
void record_unslotted(struct thread *t, void *p, struct block b);
void record_foreign(struct thread *t, uintptr_t sp, uintptr_t pc, uintptr_t bp);

/* When sampling: is it this block's turn? And what it counts then. */
bool record_draws(struct thread *t, size_t size);
uint32_t record_add_sampled(struct thread *t, const void *p, struct block b);
void record_subtract_sampled(struct thread *t, const void *p, struct block b, bool temporary);

/* hooks.c, for hooks of functions beside the malloc family. The first is their tail call: it
 * records the block for the hook's caller and gives it back. `last` is what record_last() was
 * before the real call. The other records a block that is about to be freed, if the fast path can;
 * false: not yet. */
void *record_new_tail(void *p, size_t size, void *last, uint32_t calls);
bool record_freed_if_fast(void *p, uintptr_t sp);

void record_last_freed(struct thread *t); /* its last block was freed by another thread */

bool record_look(void); /* takes a request from outside; are new allocations recorded? */

#pragma GCC visibility pop

static always_inline bool record_enabled(void)
{
	return likely(load_relaxed(&trace.header->enabled) == MT_ENABLED_RECORD) || record_look();
}

/* Gives the site's place in the lane, as struct cached_stack has it; 0 = none. */
static always_inline uint32_t record_add(struct thread *t, const void *p, struct block b)
{
	if (unlikely(config.sample.mean))
		return record_add_sampled(t, p, b);
	return ledger_add(t, b);
}

static always_inline void record_subtract(
	struct thread *t, const void *p, struct block b, bool temporary)
{
	if (unlikely(config.sample.mean))
		record_subtract_sampled(t, p, b, temporary);
	else
		ledger_subtract(t, b, temporary);
}

/*
 * A block is temporary if it is freed before the next allocation of the thread that made it. Its
 * thread tells, without a word to anybody: if it frees the block itself, at once; else by the
 * block's slot, at its next allocation.
 */
static always_inline bool record_lost_last(const struct thread *t)
{
	return t->last_slot && unlikely(load_relaxed(t->last_slot) != t->last_value);
}

static always_inline void record_keep_last(struct thread *t, uint32_t *slot)
{
	t->last_slot = slot;
	t->last_value = *slot;
}

/* A block of this site goes, at the address of the thread's last. */
static always_inline bool record_is_last(const struct thread *t, uint32_t site)
{
	return !t->last_slot || likely(t->last_value >> SLOT_SITE_BIT == site);
}

static always_inline void record_forget_last(struct thread *t)
{
	t->last = NULL;
	t->last_slot = NULL;
}

/* A new block of this stack, which is a cached one or was just walked. */
static always_inline void record_new_on(struct thread *t, void *p, size_t size,
	struct cached_stack *stack, uint32_t *slot, uint32_t calls)
{
	struct block b;

	if (record_lost_last(t))
		record_last_freed(t);
	t->last = p;
	t->last_slot = NULL;
	if (unlikely(!stack->site) && !record_new_site(t, stack, calls))
		return;
	b = (struct block){ stack->site, size, 1, 0, 0 };
	if (unlikely(config.slack))
		slack_add(b, slack_of(p, b));
	if (unlikely(!slot || *slot || (size >= SLOT_LARGE && slot_is_littered(slot)))) {
		record_unslotted(t, p, b);
		return;
	}
	slot_write(slot, p, b.site, b.size);
	stack->lane_slot = record_add(t, p, b);
	if (phase_multi)
		record_keep_last(t, slot);
}

/* A block with this size was allocated by the caller `at`. */
static always_inline void record_new_by(
	struct thread *t, void *p, size_t size, struct cpu_frame at, uint32_t calls)
{
	uint32_t *slot = slot_at(p);
	struct cached_stack *stack;

	if (unlikely(config.sample.mean) && !record_draws(t, size))
		return;
	stack = capture(t, at);
	record_new_on(t, p, size, stack, slot, calls);
	check_walk(t, stack, at);
}

static always_inline void record_new(void *p, size_t size, struct cpu_frame at, uint32_t calls)
{
	struct thread *t;

	if (unlikely(modules_is_loader(at.pc)))
		modules_look();
	t = thread_enter(at.sp);
	if (unlikely(!t))
		return;
	if (record_enabled())
		record_new_by(t, p, size, at, calls);
	thread_leave(t);
}

static always_inline void record_freed_by(
	struct thread *t, void *p, struct block b, struct cpu_frame at)
{
	bool temporary = t->last == p;

	if (temporary && b.site && !record_is_last(t, b.site)) {
		record_last_freed(t);
		temporary = false;
	}
	if (t->last == p)
		record_forget_last(t);
	if (unlikely(b.size >= CUTS_LEAST))
		cuts_make(p, b.size);
	if (unlikely(config.slack) && b.site)
		slack_subtract(b, b.slack);
	if (likely(b.site))
		record_subtract(t, p, b, temporary);
	else if (!config.sample.mean && !load_relaxed(&phase_was_stopped))
		record_foreign(t, at.sp, at.pc, at.bp);
}

/* Empties the slot of a block that is still there. */
static always_inline struct block record_take_slot(void *p)
{
	struct block b = slot_take(p);

	if (unlikely(config.slack))
		b.slack = slack_of(p, b);
	return b;
}

/* The block is about to be freed. */
static always_inline void record_freed(void *p, struct cpu_frame at)
{
	struct thread *t;

	if (unlikely(config.sample.mean) && (sample_lacks(p) || !slot_is_taken(p)))
		return;
	t = thread_enter(at.sp);
	if (unlikely(!t))
		return;
	record_freed_by(t, p, record_take_slot(p), at);
	if (timeline_is_low(trace.header->live_bytes))
		timeline_take(t, 0);
	thread_leave(t);
}

/*
 * The common case of both, in a few straight lines that call nothing and have few enough variables
 * to need no registers saved: a settled thread, a cached stack. The budget is some 120 instructions
 * for a new block and 50 for one that goes, and 4 for each frame of the stack. False: nothing has
 * been done. `single`: one thread, for which the counters are the sites' own; `glibc`: its
 * allocator. Both are constants, so there are four of each.
 *
 * All of it with the thread marked busy: a signal handler's event would move what was looked up.
 */
static always_inline bool record_passes(const struct thread *t, bool single)
{
	return likely(t) &&
	       likely(t->state == (single ? phase_single_generation() : phase_lane_generation())) &&
	       (!single || likely(process_is_single));
}

static always_inline bool record_enter(struct thread *t, uintptr_t sp, bool single)
{
	if (unlikely(!record_passes(t, single)))
		return false;
	t->state = sp;
	signal_fence();
	return true;
}

static always_inline uint32_t *record_slot(const void *p, bool glibc)
{
	return slot_in(p, glibc ? 0 : SLOT_EIGHTHS);
}

/* A new block of this stack; `slot` is where it belongs, or NULL. `due`: is something due on the
 * timeline? */
static always_inline bool record_new_marked(struct thread *t, void *p, size_t size,
	struct cached_stack *stack, uint32_t *slot, bool single, bool *due)
{
	struct lane_site *ls;

	if (unlikely(!slot) || unlikely(*slot) ||
		(unlikely(size >= SLOT_LARGE) && unlikely(slot_is_littered(slot))) ||
		unlikely(trace.header->enabled != MT_ENABLED_RECORD))
		return false;
	if (!single) {
		if (record_lost_last(t))
			return false;
		ls = &t->sites[stack->lane_slot - 1];
		if (unlikely(!stack->lane_slot) || unlikely(ls->site != stack->site) ||
			unlikely(!ledger_count_known(t, ls, size, 1, false)))
			return false;
	}
	t->last = p;
	slot_write(slot, p, stack->site, size);
	if (single)
		*due = ledger_add_single(stack->site, stack->call, size, 1) || timeline_counts();
	else
		record_keep_last(t, slot);
	return true;
}

/* A block with this site and size goes. */
static always_inline bool record_freed_known(
	struct thread *t, const void *p, uint32_t site, uint64_t size, bool single)
{
	bool temporary = t->last == p;
	struct lane_site *ls;

	if (single) {
		ledger_subtract_single(site, size, 1, temporary);
	} else {
		ls = ledger_find(t, site);
		if (temporary && unlikely(!record_is_last(t, site)))
			return false;
		if (unlikely(!ls) || unlikely(!ledger_count_known(t, ls, size, -1, temporary)))
			return false;
	}
	if (temporary)
		t->last = NULL;
	if (!single && temporary)
		t->last_slot = NULL;
	return true;
}

static always_inline bool record_freed_marked(struct thread *t, void *p, bool single, bool glibc)
{
	uint32_t *slot = record_slot(p, glibc);
	struct block b;

	if (unlikely(!slot) || unlikely(*slot < 1u << SLOT_SITE_BIT))
		return false;
	b = slot_read(slot);
	if (unlikely(b.size >= CUTS_LEAST) ||
		unlikely(!record_freed_known(t, p, b.site, b.size, single)))
		return false;
	slot_clear(slot, b.size);
	return true;
}

static always_inline bool record_freed_fast(void *p, uintptr_t sp, bool single, bool glibc)
{
	struct thread *t = thread_self;
	bool done;

	if (unlikely(!record_enter(t, sp, single)))
		return false;
	done = record_freed_marked(t, p, single, glibc);
	thread_leave(t);
	return done;
}

/* Before a realloc: the block's slot is emptied; what it held is given to one of the two below. The
 * thread isn't marked busy meanwhile, so all may be forgotten: mtrace_clear_traces(). */
static inline struct block record_take(void *p)
{
	struct block b = { 0 };
	uint32_t era = load_acquire(&phase_clearings);

	if (phase_ready())
		b = record_take_slot(p);
	b.era = era;
	if (unlikely(era % 2))
		b.site = 0;
	return b;
}

static inline bool record_is_forgotten(struct block b)
{
	return unlikely(b.era != load_acquire(&phase_clearings));
}

/* The same of what the fast path has taken, of which the thread's generation tells. */
static inline uint32_t record_era(const struct thread *t)
{
	uint32_t era = load_acquire(&phase_clearings);
	bool before = (int32_t)(t->phase_generation - load_relaxed(&phase_cleared)) < 0;

	return era % 2 || (era && before) ? era - 1 : era;
}

static inline void record_put_back(void *p, struct block b)
{
	uint32_t *slot = slot_at(p);

	if (!b.site || record_is_forgotten(b))
		return;
	slot_write(slot, p, b.site, b.size);
	full_fence();
	if (record_is_forgotten(b))
		slot_clear(slot, b.size);
}

/* p, which held b, is now q with `size` bytes; q NULL: p was freed. */
static inline void record_moved(
	void *p, struct block b, void *q, size_t size, struct cpu_frame at, uint32_t calls)
{
	struct thread *t = thread_enter(at.sp);

	if (unlikely(!t))
		return;
	if (record_is_forgotten(b))
		b.site = 0;
	record_freed_by(t, p, b, at);
	if (q && record_enabled())
		record_new_by(t, q, size, at, calls);
	thread_leave(t);
}

/* Other allocators than the C library's may call a hook inside the real call. The thread's last
 * block before and after tells: when it has become this one, the inner hook has recorded it. */
static inline void *record_last(void)
{
	return thread_mine()->last;
}

static inline bool record_was_nested(void *p, void *last)
{
	return unlikely(!next.glibc) && p && p != last && thread_mine()->last == p;
}

/* p, which held b, was resized to q. */
static inline void record_resized(
	void *p, struct block b, void *q, size_t size, struct cpu_frame at, void *last)
{
	if (unlikely(!q && size != 0))
		record_put_back(p, b);
	else
		record_moved(p, b, record_was_nested(q, last) ? NULL : q, size, at,
			MT_FRAME_CALLS(MT_REALLOC));
}

#endif
