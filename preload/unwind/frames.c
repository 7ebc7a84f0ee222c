/* frames.c - forgets. */
#include "preload/unwind/frames.h"
#include "preload/sys/hash.h"
#include "preload/sys/os.h"

void frames_forget(struct thread *t)
{
	t->top = t->kept;
	t->latest = &t->near->leaf;
	t->era += HASH_FACTOR;
}

void frames_forget_own_stack(struct thread *t)
{
	t->safe_start = t->safe_end = 0;
	t->own_start = t->own_end = 0;
	t->on_own_stack = false;
	os_forget(t->trail, sizeof(*t->trail) << TRAIL_BITS);
	frames_forget(t);
}

static bool kept_words_lie_in(const struct thread *t, uintptr_t start, uintptr_t end)
{
	for (const struct check *c = t->top->last; c > t->checks; c--)
		if ((uintptr_t)c->address - start < end - start)
			return true;
	return false;
}

static bool near_words_lie_in(const struct near_leaf *leaf, uintptr_t start, uintptr_t end)
{
	for (int i = 0; i < NEAR_WORDS; i++)
		if (leaf->sp + leaf->words[i] - start < end - start)
			return true;
	return false;
}

void frames_drop(struct thread *t, uintptr_t start, uintptr_t end)
{
	if (start < t->own_end && end > t->own_start)
		frames_forget_own_stack(t);
	if (kept_words_lie_in(t, start, end))
		t->top = t->kept;
	for (struct near_leaf *leaf = t->near; leaf < t->near + (1u << NEAR_BITS); leaf++)
		if (leaf->sp && near_words_lie_in(leaf, start, end))
			leaf->sp = 0;
}
