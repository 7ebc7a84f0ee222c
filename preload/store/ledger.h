/* SPDX-License-Identifier: MIT */
/*
 * ledger.h - current, peak, at peak and totals, for each site, each call instruction and the whole.
 *
 * One thread: plain arithmetic on the site's counters, everything exact. *At peak* needs no
 * copying: the epoch goes up at each new peak of the whole; a site that is about to change in a
 * newer epoch than its own first saves what it has, which is what it had at that peak.
 *
 * Several threads: each counts in its lane (exact totals, no shared cache line) and keeps back what
 * changed since it last published, as far as its grant goes. All grants together are 64 KiB or
 * 1/1024 of the live bytes at the most. The peaks follow the published state, so they are off by no
 * more than that. When a lane may have used its grant up, it looks, and if it is near it adds what
 * it keeps back to the published state under a lock. Whether it may have is known by the bytes that
 * came and went since the last look: no more than these can be kept back, of a site, a call
 * instruction or all of it. So an event only counts in its entry.
 *
 * A lane gets a part of what is left, by demand. When too little is left, one lane takes back what
 * threads hold that count no event just now, mostly because they don't run, and publishes for them:
 * it marks their lanes as taken, lets the kernel make that known to all CPUs (membarrier), and
 * leaves out whoever is counting after that. The owner sees the mark at its next event, at the
 * latest when it would use the grant; an event pays two stores for it.
 */
#ifndef MTRACE_LEDGER_H
#define MTRACE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/store/slots.h"
#include "preload/store/thread.h"
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/lock.h"
#include "preload/sys/phase.h"
#include "preload/sys/single.h"
#include "preload/trace_format.h"

#pragma GCC visibility push(hidden)

/* Gives the site's slot in the lane, as struct cached_stack has it; 0 = none. */
uint32_t ledger_count_lane(
	struct thread *t, uint32_t site, int64_t bytes, int blocks, bool temporary);
extern struct lane_site ledger_no_sites[1]; /* a lane's table before its first event */
bool ledger_go_multi(void);		    /* false: no memory */
void ledger_fold(struct thread *t);	    /* publishes what it keeps back, gives its grant back */
/* ledger_lock, over the published state; taken after tables_lock, if both. Gives what is to be told
 * to ledger_release(). */
uint32_t ledger_hold(void);
void ledger_release(uint32_t holder);
void ledger_forked(void); /* in the child: all lanes' counters become the sites' own */
void ledger_reset_peaks(void);
/* The next event of each lane on the fast path takes the slow one. */
void ledger_halt(void);
/* All counters begin from zero, while no event is under way. */
void ledger_clear(void);

/* The sites add up to their call instructions and to the whole, no peak is below what is live or was
 * live at the peak of all, and all grants are within what lanes may keep back. To be called where no
 * event is under way. For assertions. */
bool ledger_is_valid(void);

#pragma GCC visibility pop

static inline bool ledger_is_multi(void)
{
	return unlikely(load_relaxed(&phase_multi)) ||
	       (unlikely(!process_is_single) && ledger_go_multi());
}

static inline uint32_t ledger_saturate(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* To be called before a site changes. */
static inline void ledger_save_at_peak(struct mt_site *s, uint64_t bytes, uint64_t blocks)
{
	uint32_t epoch = (uint32_t)trace.header->epoch;

	if (s->epoch == epoch)
		return;
	s->at_peak_bytes = bytes;
	s->at_peak_blocks = ledger_saturate(blocks);
	s->epoch = epoch;
}

/* `call` is the site's. Gives whether that was a peak to note on the timeline. */
static always_inline bool ledger_add_single(
	uint32_t site, uint32_t call, uint64_t size, uint32_t blocks)
{
	struct mt_site *s = &trace.sites[site];
	struct mt_call *l = &trace.calls[call];
	struct mt_header *h = trace.header;

	ledger_save_at_peak(s, s->current_bytes, s->current_blocks);
	s->allocated_bytes += size;
	s->allocations += blocks;
	s->current_blocks += blocks;
	s->current_bytes += size;
	if (s->current_bytes > s->peak_bytes)
		s->peak_bytes = s->current_bytes;
	l->live_bytes += size;
	if (l->live_bytes > l->peak_bytes)
		l->peak_bytes = l->live_bytes;
	h->live_bytes += size;
	if ((int64_t)h->live_bytes > (int64_t)h->peak_bytes) {
		h->peak_bytes = h->live_bytes;
		h->epoch++;
		return timeline_is_peak(h->live_bytes);
	}
	return false;
}

static inline void ledger_subtract_single(
	uint32_t site, uint64_t size, uint32_t blocks, bool temporary)
{
	struct mt_site *s = &trace.sites[site];

	ledger_save_at_peak(s, s->current_bytes, s->current_blocks);
	s->current_bytes -= size;
	s->current_blocks -= blocks;
	s->temporary += temporary ? blocks : 0;
	trace.calls[trace.site_info[site].call].live_bytes -= size;
	trace.header->live_bytes -= size;
}

/* Only the lane's thread writes it. */
static inline void ledger_count_in_entry(
	struct mt_entry *e, int64_t bytes, int blocks, bool temporary)
{
	if (blocks > 0) {
		e->allocated_bytes += (uint64_t)bytes;
		e->allocations += (uint64_t)blocks;
	} else {
		e->freed_bytes += (uint64_t)-bytes;
		e->frees += (uint64_t)-blocks;
		if (temporary)
			e->temporary += (uint64_t)-blocks;
	}
}

static always_inline void ledger_make_dirty(struct thread *t, struct lane_site *ls)
{
	if (likely(ls->dirty))
		return;
	ls->dirty = true;
	t->dirty[t->dirty_used++] = (uint32_t)(ls - t->sites);
}

/* Between these two nobody else touches the lane, but for who has marked it before and has the
 * lock. */
static always_inline void ledger_begin(struct thread *t)
{
	store_relaxed(&t->counting, true);
	signal_fence();
}

static always_inline void ledger_end(struct thread *t)
{
	store_release(&t->counting, false);
}

/*
 * The common case of several threads: the lane knows the site, and needn't look what it keeps back.
 * False: nothing was done.
 */
static always_inline bool ledger_count_known(
	struct thread *t, struct lane_site *ls, uint64_t size, int blocks, bool temporary)
{
	int64_t room;

	ledger_begin(t);
	room = t->room - (int64_t)size;
	if (unlikely(room < 0)) {
		ledger_end(t);
		return false;
	}
	t->room = room;
	ledger_count_in_entry(
		ls->entry, blocks > 0 ? (int64_t)size : -(int64_t)size, blocks, temporary);
	ledger_make_dirty(t, ls);
	ledger_end(t);
	return true;
}

/* Where the lane's hash table may have a site: the first slot, the second, ... */
static always_inline struct lane_site *ledger_slot(
	const struct thread *t, uint32_t site, uint32_t choice)
{
	return &t->sites[((site * 0x9e3779b1u >> 7) + choice) & t->sites_mask];
}

/* NULL: the lane doesn't have it. */
static always_inline struct lane_site *ledger_find(const struct thread *t, uint32_t site)
{
	for (uint32_t choice = 0;; choice++) {
		struct lane_site *ls = ledger_slot(t, site, choice);

		if (likely(ls->site == site))
			return ls;
		if (ls->site == 0)
			return NULL;
	}
}

/* A new block. Gives the site's slot in the lane; 0 = none. */
static inline uint32_t ledger_add(struct thread *t, struct block b)
{
	if (ledger_is_multi())
		return ledger_count_lane(t, b.site, (int64_t)b.size, (int)b.count, false);
	if (ledger_add_single(b.site, trace.site_info[b.site].call, b.size, b.count) ||
		timeline_counts())
		timeline_take(t, b.site);
	return 0;
}

/* A block is freed; or, with count 0, some bytes of it. */
static inline void ledger_subtract(struct thread *t, struct block b, bool temporary)
{
	if (ledger_is_multi())
		ledger_count_lane(t, b.site, -(int64_t)b.size, -(int)b.count, temporary);
	else
		ledger_subtract_single(b.site, b.size, b.count, temporary);
}

#endif
