/*
 * ledger.h - current, peak, at peak and totals, for each site, each line and the whole.
 *
 * One thread: plain arithmetic on the site's counters, everything exact. *At peak* needs no
 * copying: the epoch goes up at each new peak of the whole; a site that is about to change in a
 * newer epoch than its own first saves what it has, which is what it had at that peak.
 *
 * Several threads: each counts in its lane (exact totals, no shared cache line) and keeps back what
 * changed since it last published. When that passes a slack, it adds it to the published state
 * under a lock, and the peaks follow that state. They are off by at most what all lanes keep back:
 * 64 KiB or 1/1024 of the live bytes, by the choice of the slack.
 */
#ifndef MTRACE_LEDGER_H
#define MTRACE_LEDGER_H

#include <sys/single_threaded.h>

#include "preload/slots.h"
#include "preload/thread.h"

#pragma GCC visibility push(hidden)

extern bool ledger_multi;    /* there was a second thread */
extern int64_t ledger_slack; /* bytes that a lane may keep back, of a site, a line or all of it */
extern struct lock ledger_lock; /* over the published state; taken after tables_lock, if both */

void ledger_count_lane(struct thread *t, uint32_t site, int64_t bytes, int blocks, bool temporary);
uint32_t ledger_lane_place(const struct thread *t, uint32_t site); /* as struct kept has it */
bool ledger_go_multi(void);					   /* false: no memory */
void ledger_set_slack(void);
void ledger_publish(struct thread *t); /* what the thread keeps back */
void ledger_forked(void);	       /* in the child: all lanes' counters become the sites' own */
void ledger_reset_peaks(void);

#pragma GCC visibility pop

static inline bool ledger_is_multi(void)
{
	return unlikely(load_relaxed(&ledger_multi)) ||
	       (unlikely(!__libc_single_threaded) && ledger_go_multi());
}

/* The same without the change from one to several. */
static inline bool ledger_is_multi_now(void)
{
	return unlikely(load_relaxed(&ledger_multi)) || unlikely(!__libc_single_threaded);
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

/* `line` is the site's. */
static inline void ledger_add_single(uint32_t site, uint32_t line, uint64_t size, uint32_t blocks)
{
	struct mt_site *s = &trace.sites[site];
	struct mt_line *l = &trace.lines[line];
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
	}
}

static inline void ledger_subtract_single(
	uint32_t site, uint64_t size, uint32_t blocks, bool temporary)
{
	struct mt_site *s = &trace.sites[site];

	ledger_save_at_peak(s, s->current_bytes, s->current_blocks);
	s->current_bytes -= size;
	s->current_blocks -= blocks;
	s->temporary += temporary ? blocks : 0;
	trace.lines[trace.site_info[site].line].live_bytes -= size;
	trace.header->live_bytes -= size;
}

static inline void ledger_count_in_entry(
	struct mt_entry *e, int64_t bytes, int blocks, bool temporary)
{
	if (blocks > 0) {
		store_relaxed(&e->allocated_bytes, e->allocated_bytes + (uint64_t)bytes);
		store_relaxed(&e->allocations, e->allocations + (uint64_t)blocks);
	} else {
		store_relaxed(&e->freed_bytes, e->freed_bytes + (uint64_t)-bytes);
		store_relaxed(&e->frees, e->frees + (uint64_t)-blocks);
		if (temporary)
			store_relaxed(&e->temporary, e->temporary + (uint64_t)-blocks);
	}
}

/*
 * The common case of several threads: the lane knows the site, and nothing has to be published.
 * False: nothing was done.
 */
static inline bool ledger_count_known(
	struct thread *t, struct lane_site *ls, int64_t bytes, int blocks, bool temporary)
{
	int64_t slack = load_relaxed(&ledger_slack);
	struct lane_line *ll = &t->lines[ls->line_index];
	struct mt_entry *e = ls->entry;
	int64_t site = ls->unpublished + bytes, line = ll->unpublished + bytes,
		all = t->unpublished + bytes;

	if (unlikely(site > slack || site < -slack || line > slack || line < -slack ||
		     all > t->max_unpublished || all < -t->max_unpublished))
		return false;
	ledger_count_in_entry(e, bytes, blocks, temporary);
	if (!ls->dirty) {
		ls->dirty = true;
		t->dirty[t->dirty_used++] = (uint32_t)(ls - t->sites);
	}
	ls->unpublished = site;
	ls->unpublished_blocks += blocks;
	ll->unpublished = line;
	t->unpublished = all;
	return true;
}

/* Where the hash table of a lane has a site, if that is its first choice. */
static inline struct lane_site *ledger_first_place(const struct thread *t, uint32_t site)
{
	return &t->sites[(site * 0x9e3779b1u >> 7) & t->sites_mask];
}

/* A new block. */
static inline void ledger_add(struct thread *t, struct block b)
{
	if (ledger_is_multi())
		ledger_count_lane(t, b.site, (int64_t)b.size, (int)b.count, false);
	else
		ledger_add_single(b.site, trace.site_info[b.site].line, b.size, b.count);
}

/* A block is gone; or, with count 0, some bytes of it. */
static inline void ledger_subtract(struct thread *t, struct block b, bool temporary)
{
	if (ledger_is_multi())
		ledger_count_lane(t, b.site, -(int64_t)b.size, -(int)b.count, temporary);
	else
		ledger_subtract_single(b.site, b.size, b.count, temporary);
}

#endif
