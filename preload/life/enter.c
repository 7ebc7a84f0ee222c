/* SPDX-License-Identifier: MIT */
/* enter.c - the slow path: a thread makes its state, sees what has changed, and tells a hook that
 * it is inside of from one that was left. */
#include "preload/life/enter.h"
#include "preload/life/begin.h"
#include "preload/life/thread_life.h"
#include "preload/store/tracefile.h"
#include "preload/sys/object.h"
#include "preload/sys/os.h"
#include "preload/unwind/cuts.h"
#include "preload/unwind/frames.h"
#include "preload/unwind/modules.h"

#include <signal.h>
#include <sys/syscall.h>

#define NEAR_BY 65536u /* bytes between frames that are taken to be on one stack */

/* Is this a signal handler on a stack of its own, which the address is not on? That stack may lie
 * anywhere, in a frame of the program's too. */
static bool on_signal_stack_without(uintptr_t address)
{
	stack_t stack;

	return os_call(SYS_sigaltstack, NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK) &&
	       address - (uintptr_t)stack.ss_sp >= stack.ss_size;
}

/* A hook whose caller is ours, or lies further in, was left by longjmp; a signal handler would run
 * further in. */
static bool was_left(const struct thread *t, uintptr_t sp)
{
	uintptr_t start = t->stack_start, end = t->stack_end;

	if (t->safe_end) {
		start = t->safe_start < start ? t->safe_start : start;
		end = t->safe_end > end ? t->safe_end : end;
	}
	return sp >= t->state &&
	       (sp - t->state < NEAR_BY || (sp < end && t->state + NEAR_BY >= start)) &&
	       !on_signal_stack_without(t->state);
}

bool thread_may_enter(uintptr_t sp)
{
	const struct thread *t = thread_mine();

	return !thread_is_busy(t) || was_left(t, sp);
}

static struct thread *lost(enum mt_loss why)
{
	count_lost(why);
	return NULL;
}

cold_path struct thread *thread_settle(uintptr_t sp)
{
	struct thread *t;
	uint32_t state_generation, generation;

	if (!phase_ready() || load_acquire(&phase_page.clearing))
		return NULL;
	t = thread_mine();
	if (t == &thread_nobody)
		t = thread_new();
	if (!t)
		return lost(MT_LOST_THREAD);
	if (thread_is_busy(t)) {
		if (!was_left(t, sp))
			return lost(MT_LOST_REENTRANT);
		t->in_doubt = true;
		store_release(&t->counting, false);
		frames_forget(t);
	}
	state_generation = phase_generation(); /* first: what changes after this makes another */
	if (unlikely(load_acquire(&modules_closing))) {
		/* Between the unloading and our hearing of it another thread may have loaded
		 * something else there: no frame is believed without a look (stacks.c). */
		frames_forget(t);
		state_generation = UINT32_MAX; /* of no phase: the next event comes here too */
	}
	generation = load_acquire(&code_generation);
	if (t->code_generation != generation) {
		frames_forget(t);
		t->code_generation = generation;
	}
	if (t->cuts != load_acquire(&cuts_count))
		cuts_see(t);
	t->phase_generation = state_generation;
	return t;
}
