/* SPDX-License-Identifier: MIT */
/* enter.h - how a thread enters the library. */
#ifndef MTRACE_ENTER_H
#define MTRACE_ENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/sys/phase.h"

#pragma GCC visibility push(hidden)

/* The slow path into the library: makes the thread's state, lets it see what has changed. NULL:
 * nothing may be recorded, and if that is a loss, it has been counted. */
struct thread *thread_settle(uintptr_t sp);

/* Isn't the thread inside already? Else it is in a handler that interrupted a hook, or a debugger has
 * stopped it there. */
bool thread_may_enter(uintptr_t sp);

#pragma GCC visibility pop

/* The calling thread's state, marked busy; NULL: pass through. `sp` is the hook's caller's stack
 * pointer. */
static inline struct thread *thread_enter(uintptr_t sp)
{
	struct thread *t = thread_mine();

	if (unlikely(t->state != phase_generation())) {
		t = thread_settle(sp);
		if (!t)
			return NULL;
	}
	t->state = sp;
	signal_fence();
	if (unlikely(load_relaxed(&phase_page.clearing))) {
		thread_leave(t);
		return NULL;
	}
	return t;
}

#endif
