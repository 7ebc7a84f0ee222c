/* SPDX-License-Identifier: MIT */
/* frames.c - forgets. */
#include "preload/unwind/frames.h"
#include "preload/sys/hash.h"
#include "preload/sys/os.h"

void frames_forget(struct thread *t)
{
	t->top = t->cached;
	t->latest = &t->recent->stack;
	t->era += HASH_FACTOR;
}

void frames_forget_own_stack(struct thread *t)
{
	t->safe_start = t->safe_end = 0;
	t->own_start = t->own_end = 0;
	t->on_own_stack = false;
	os_forget(t->successors, sizeof(*t->successors) << SUCCESSOR_BITS);
	frames_forget(t);
}

static bool cached_words_lie_in(const struct thread *t, uintptr_t start, uintptr_t end)
{
	for (const struct guard_word *c = t->top->last; c > t->guard_words; c--)
		if ((uintptr_t)c->address - start < end - start)
			return true;
	return false;
}

static bool recent_words_lie_in(const struct recent_stack *recent, uintptr_t start, uintptr_t end)
{
	for (int i = 0; i < RECENT_WORDS; i++)
		if (recent->sp + recent->words[i] - start < end - start)
			return true;
	return false;
}

void frames_drop(struct thread *t, uintptr_t start, uintptr_t end)
{
	if (start < t->own_end && end > t->own_start)
		frames_forget_own_stack(t);
	if (cached_words_lie_in(t, start, end))
		t->top = t->cached;
	for (struct recent_stack *recent = t->recent; recent < t->recent + (1u << RECENT_BITS);
		recent++)
		if (recent->sp && recent_words_lie_in(recent, start, end))
			recent->sp = 0;
}
