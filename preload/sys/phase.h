/* SPDX-License-Identifier: MIT */
/*
 * phase.h - whether anything is recorded at all, in a page that the kernel wipes in every fork
 * child.
 *
 * The trace is mapped shared, so a child must not write to it. fork(3) is handled by handlers
 * (life/fork.c); a child of a raw clone() or _Fork() runs none of them, and finds 0 here: it records
 * nothing until it executes a program. A vfork child shares the parent's memory, this page too:
 * what it does to the heap, it does to the parent's.
 */
#ifndef MTRACE_PHASE_H
#define MTRACE_PHASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"

enum phase {
	PHASE_OFF = 0, /* before the start, and in a raw clone until its first event */
	PHASE_ON = 1,
	PHASE_FORKED = 2, /* a fork child that has no trace of its own yet */
	PHASE_NEVER = 3,  /* untraced, until another program is executed */
};

/* A variant of the hooks' fast path; NULL: the slow path. There are four (hooks.c) for recording
 * every block, for one thread and for several, with glibc's allocator and with another; and one
 * each for a program in which recording is stopped, and in which nothing will ever be recorded. */
struct fast_path {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t count, size_t size);
	void *(*realloc)(void *p, size_t size);
	void (*free)(void *p);
	void *(*allocated)(
		void *p, size_t size, void *last, uint32_t calls); /* see record_new_tail() */
	bool (*freed)(void *p, uintptr_t sp);			   /* see record_freed_if_fast() */
};

#pragma GCC visibility push(hidden)

extern union phase_page {
	struct {
		int phase; /* enum phase */
		/* 0 unless the phase is on; changes whenever threads have to notice something
		 * before their next event. The next two are the same while events take a variant
		 * for one thread, or for several. */
		uint32_t generation;
		uint32_t single_generation;
		uint32_t lane_generation;
		uint32_t leaving;  /* calls of exec that are under way */
		uint32_t clearing; /* mtrace_clear_traces() is at work: nobody enters */
		struct fast_path fast_path;
	};
	char page[CPU_PAGE];
} phase_page;

/* The hooks have them: 2 * several threads + not glibc. */
extern const struct fast_path phase_fast_paths[4];
extern const struct fast_path phase_fast_path_stopped, phase_fast_path_passing;

extern bool phase_multi;       /* there was a second thread: events are counted in lanes */
extern bool phase_stopped;     /* by mtrace_stop(), or not yet started */
extern bool phase_was_stopped; /* ever: blocks may be there of which nothing is known */

void phase_set(enum phase phase);
void phase_stop(bool stop); /* as the trace's header says; or go on */
bool phase_was_set(void);   /* ever, in this process or one that it was forked from */

/* How often what was recorded has been forgotten, times two; odd while the slots are emptied. A block
 * that was taken out of its slot before is none of those that are counted since. */
extern uint32_t phase_clearings;
extern uint32_t phase_cleared; /* generations before this one are from before the last time */

/* A new generation: code or the number of threads has changed, and each thread's next event sees
 * it. Gives its number. */
uint32_t phase_advance(void);

#pragma GCC visibility pop

/*
 * The state generation is all that a hook of a settled thread looks at: it takes the fast path
 * while its thread has seen this one. Anything else (no phase, another generation of code, a fork
 * child) takes the slow path, once.
 */
static inline uint32_t phase_generation(void)
{
	return load_relaxed(&phase_page.generation);
}

static inline uint32_t phase_single_generation(void)
{
	return load_relaxed(&phase_page.single_generation);
}

static inline uint32_t phase_lane_generation(void)
{
	return load_relaxed(&phase_page.lane_generation);
}

/* The function of the variant that events take; NULL: the slow path. */
#define PHASE_FAST_PATH(function) load_relaxed(&phase_page.fast_path.function)

#endif
