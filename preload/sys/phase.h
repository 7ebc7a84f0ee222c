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

enum phase {
	PHASE_OFF = 0, /* before the start, and in a raw clone until its first event */
	PHASE_ON = 1,
	PHASE_FORKED = 2, /* a fork child that has no trace of its own yet */
	PHASE_NEVER = 3,  /* untraced, until another program is executed */
};

/* A short way through the hooks; NULL: the long one. There are four (hooks.c) for recording every
 * block, for one thread and for several, with glibc's allocator and with another; and one each for a program
 * in which recording is stopped, and in which nothing will ever be recorded. */
struct way {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t count, size_t size);
	void *(*realloc)(void *p, size_t size);
	void (*free)(void *p);
	void *(*made)(void *p, size_t size, void *last); /* see record_made() */
	bool (*gone)(void *p, uintptr_t sp);		 /* see record_gone_quickly() */
};

#pragma GCC visibility push(hidden)

extern union phase_page {
	struct {
		int phase;     /* enum phase */
		uint32_t gate; /* 0 unless the phase is on; changes whenever threads have to look up
				  from their work */
		uint32_t single_gate; /* the same while events take a way for one thread */
		uint32_t lane_gate;   /* while they take one for several */
		uint32_t leaving; /* calls of exec that are under way */
		struct way way;
	};
	char page[4096];
} phase_page;

extern const struct way phase_ways[4]; /* the hooks have them: 2 * several threads + not glibc */
extern const struct way phase_way_stopped, phase_way_passing;

extern bool phase_multi; /* there was a second thread: events are counted in lanes */
extern bool phase_stopped;     /* by mtrace_stop(), or not yet started */
extern bool phase_was_stopped; /* ever: blocks may be there of which nothing is known */

void phase_set(enum phase phase);
void phase_stop(bool stop); /* as the trace's header says; or go on */
bool phase_was_set(void); /* ever, in this process or one that it was forked from */
void phase_shut_gates(
	void); /* code or the number of threads has changed: threads that pass a gate see it */

#pragma GCC visibility pop

/*
 * The gate is all that a hook of a settled thread looks at: it passes while its thread's number is
 * this one. Anything else (no phase, another generation of code, a fork child) goes the long way,
 * once.
 */
static inline uint32_t phase_gate(void)
{
	return load_relaxed(&phase_page.gate);
}

static inline uint32_t phase_single_gate(void)
{
	return load_relaxed(&phase_page.single_gate);
}

static inline uint32_t phase_lane_gate(void)
{
	return load_relaxed(&phase_page.lane_gate);
}

/* The function of the way that events take; NULL: the long one's. */
#define PHASE_WAY(function) load_relaxed(&phase_page.way.function)

#endif
