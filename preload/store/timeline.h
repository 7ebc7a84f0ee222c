/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - moments of the run: what was live when, and which sites had it.
 *
 * There is no thread and no timer. A countdown of allocations says when the next regular point is
 * due; a new peak that is a little higher than the last one noted is noted at once, so that its time
 * is known; so is the end of a large block that made it. With one thread every allocation counts
 * down, at the end of its hook, where a point that is due is taken: so it is the exact state. With
 * several the slow path of the lanes counts, several at a time, and the points are of the published
 * state.
 *
 * When the table is full every other point goes and the interval doubles. Points lie in it in no
 * order, and none is moved: a process that is killed loses the one that it is writing. A point costs
 * a look at all sites, which has to be worth the events since the last.
 */
#ifndef MTRACE_TIMELINE_H
#define MTRACE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/sys/atomic.h"
#include "preload/sys/lock.h"

#pragma GCC visibility push(hidden)

extern struct lock timeline_lock;  /* after regions_lock and before tables_lock */
extern int64_t timeline_left;	   /* allocations until timeline_take() is to be called */
extern int64_t timeline_next_peak; /* bytes: what is higher is to be noted, at once */
extern bool timeline_peak_is_new;  /* with several threads: something is */
extern int64_t timeline_low;	   /* bytes: after a peak, what is lower is its end */

void timeline_begin(void);  /* at the start, and in a fork child for its own */
void timeline_forked(void); /* in a fork child, whether it is traced or not */

/* Of a thread that is busy and has counted its event, at this site; it takes whatever is due. */
void timeline_take(const struct thread *t, uint32_t site);
void timeline_mark(const char *label);
void timeline_end(void);
void timeline_peaks_reset(void);
void timeline_clear(void); /* it begins anew; under timeline_lock */

/* For others whose work is as rare as that, of a thread that is busy: under the lock, on a stack of the
 * library's own, as the program's may be small. False: there is no memory for one. */
bool timeline_call(void (*what)(void *of), void *of);

/* ns since the start; a peak that has passed is dated. Under the lock. */
uint64_t timeline_now(void);

/* A string of the trace, of 255 bytes at most; 0: no room. */
uint32_t timeline_label(const char *label);

#pragma GCC visibility pop

#define TIMELINE_LANE_EVENTS 16 /* what a look at a lane counts for */

/* An allocation: is something due? */
static always_inline bool timeline_counts(void)
{
	return unlikely(--timeline_left == 0);
}

/* What is live now, after a free that didn't take the fast path: of a large block, for one. */
static inline bool timeline_is_low(uint64_t bytes)
{
	return unlikely((int64_t)bytes < timeline_low);
}

/* Of a new peak. */
static always_inline bool timeline_is_peak(uint64_t bytes)
{
	return unlikely((int64_t)bytes > timeline_next_peak);
}

#endif
