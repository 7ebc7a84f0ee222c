/*
 * capture.h - the stack of this call, by verified reuse of the thread's last stack.
 *
 * The caller of a hook usually has most of its frames in common with the last time. So the walk by
 * rules starts at the innermost frame and stops at the first frame that is a kept one (same sp, pc
 * and, where it matters, bp). What lies further out is then a pure function of some words of the
 * stack: if these are what they were, so is the rest.
 *
 *        kept stack:      main  run  parse  list  item      checks: the words that hold the return
 * addresses now:             main  run  parse  list  text      (and saved bp) of list, parse, run,
 * main ^ match here, re-read 4 words, intern 1 frame
 *
 * The words are read innermost first and no further than the first difference, so each address that
 * is read belongs to a frame that was just proved to be there.
 */
#ifndef MTRACE_CAPTURE_H
#define MTRACE_CAPTURE_H

#include "preload/thread.h"

#pragma GCC visibility push(hidden)

/* The other path: the stack differs. Leaves the new stack in the thread; t->top afterwards. (Three
 * arguments travel in registers, a struct would be spilled on the common path too.) */
struct kept *capture_walk(struct thread *t, uintptr_t sp, uintptr_t pc, uintptr_t bp);
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
static inline void check_walk(struct thread *t, struct cpu_frame at)
{
	(void)t;
	(void)at;
}
#endif

static always_inline struct kept *capture_reuse(struct thread *t, struct cpu_frame at)
{
	struct kept *top = t->top;

	if (likely(top->sp == at.sp && top->pc == at.pc && (!top->needs_bp || top->bp == at.bp)) &&
		likely(capture_verify(top->last) == t->checks))
		return top;
	return capture_walk(t, at.sp, at.pc, at.bp);
}

/* The innermost frame of the current stack; its site is 0 when it has none yet. */
static always_inline struct kept *capture(struct thread *t, struct cpu_frame at)
{
	struct kept *top = capture_reuse(t, at);

	check_walk(t, at); /* nothing, except in a build that tests the capture */
	return top;
}

#endif
