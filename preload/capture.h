/*
 * capture.h - the stack of this call, by verified reuse of the thread's last stack.
 *
 * The caller of a hook usually has most of its frames in common with the last time. So the walk by rules starts at the
 * innermost frame and stops at the first frame that is a kept one (same sp, pc and, where it matters, bp). What
 * lies further out is then a pure function of some words of the stack: if these are what they were, so is the rest.
 *
 *        kept stack:      main  run  parse  list  item      checks: the words that hold the return addresses
 *        now:             main  run  parse  list  text      (and saved bp) of list, parse, run, main
 *                                             ^ match here, re-read 4 words, intern 1 frame
 *
 * The words are read innermost first and no further than the first difference, so each address that is read
 * belongs to a frame that was just proved to be there.
 */
#ifndef MTRACE_CAPTURE_H
#define MTRACE_CAPTURE_H

#include "preload/thread.h"

#pragma GCC visibility push(hidden)

/* The rare path: the stack differs. Leaves the new stack in the thread; 0 or the site of its innermost frame. */
uint32_t capture_walk(struct thread *t, struct cpu_frame at);
#pragma GCC visibility pop

/* Number of the first check that fails, from check `last` outwards; 0 (the guard, which always fails) = all hold. */
static inline uint32_t capture_verify(const struct check *checks, uint32_t last)
{
	const struct check *c = checks + last;

	while (*c->address == c->value)
		c--;
	return (uint32_t)(c - checks);
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

static inline uint32_t capture_reuse(struct thread *t, struct cpu_frame at)
{
	const struct kept *top = &t->kept[t->depth];

	if (likely(top->sp == at.sp && top->pc == at.pc && (!top->needs_bp || top->bp == at.bp) &&
			t->generation == load_relaxed(&code_generation)) &&
		likely(capture_verify(t->checks, top->checks - 1) == 0))
		return top->site;
	return capture_walk(t, at);
}

/* The site of the current stack, or 0 when it has none yet. */
static inline uint32_t capture_site(struct thread *t, struct cpu_frame at)
{
	uint32_t site = capture_reuse(t, at);

	check_walk(t, at); /* nothing, except in a build that tests the capture */
	return site;
}

#endif
