/*
 * record.h - what every hook does around the real call: stack -> site -> slot -> ledger.
 *
 * Order: a block's slot is emptied before the real free, since the next owner of the address may be another thread; it
 * is filled after the real malloc. realloc takes the slot out before and puts it back if the real one fails.
 */
#ifndef MTRACE_RECORD_H
#define MTRACE_RECORD_H

#include "preload/capture.h"
#include "preload/ledger.h"
#include "preload/next.h"
#include "preload/phase.h"
#include "preload/slots.h"
#include "preload/thread.h"

#pragma GCC visibility push(hidden)

uint32_t record_new_site(struct thread *t);
void record_lost(enum mt_loss why);
void record_unslotted(struct thread *t, void *p, struct block b); /* no leaf there yet, or a block that was never freed */
void record_foreign(struct thread *t, struct cpu_frame at);

#pragma GCC visibility pop

static inline enum mt_loss record_why_not(void)
{
	return thread_self ? MT_LOST_REENTRANT : MT_LOST_THREAD;
}

/* A block with this size was allocated by the caller `at`. */
static always_inline void record_new_by(struct thread *t, void *p, size_t size, struct cpu_frame at)
{
	struct block b = { capture_site(t, at), size };
	uint32_t *slot = slot_at(p);

	t->last = p;
	t->events++;
	if (unlikely(!b.site)) {
		b.site = record_new_site(t);
		if (!b.site)
			return;
	}
	if (unlikely(!slot || *slot)) {
		record_unslotted(t, p, b);
		return;
	}
	slot_write(slot, b);
	ledger_add(t, b);
}

static always_inline void record_new(void *p, size_t size, struct cpu_frame at)
{
	struct thread *t;

	if (!phase_ready() || unlikely(!trace.header->enabled))
		return;
	t = thread_enter(at.sp);
	if (unlikely(!t)) {
		record_lost(record_why_not());
		return;
	}
	record_new_by(t, p, size, at);
	thread_leave(t);
}

static always_inline void record_gone_by(struct thread *t, void *p, struct block b, struct cpu_frame at)
{
	bool temporary = t->last == p;

	if (temporary)
		t->last = NULL;
	if (likely(b.site))
		ledger_subtract(t, b, temporary);
	else
		record_foreign(t, at);
}

/* The block is about to be freed. */
static always_inline void record_gone(void *p, struct cpu_frame at)
{
	struct thread *t;

	if (!phase_ready())
		return;
	t = thread_enter(at.sp);
	if (unlikely(!t)) {
		record_lost(record_why_not());
		return;
	}
	record_gone_by(t, p, slot_take(p), at);
	thread_leave(t);
}

/* Before a realloc: the block's slot is emptied; what it held is given to one of the two below. */
static inline struct block record_take(void *p)
{
	struct block none = { 0, 0 };

	return phase_ready() ? slot_take(p) : none;
}

static inline void record_put_back(void *p, struct block b)
{
	if (b.site)
		slot_write(slot_at(p), b);
}

/* p, which held b, is now q with `size` bytes; q NULL: p was freed. */
static inline void record_moved(void *p, struct block b, void *q, size_t size, struct cpu_frame at)
{
	struct thread *t;

	if (!phase_ready())
		return;
	t = thread_enter(at.sp);
	if (unlikely(!t)) {
		record_lost(record_why_not());
		return;
	}
	record_gone_by(t, p, b, at);
	if (q && likely(trace.header->enabled))
		record_new_by(t, q, size, at);
	thread_leave(t);
}

/* Other allocators than the C library's may call a hook inside the real call. The thread's count of events
 * tells: when it moved, and the block has a slot, the inner hook has recorded it. */
static inline uint64_t record_events(void)
{
	return next.glibc || !thread_self ? 0 : thread_self->events;
}

static inline bool record_was_nested(void *p, uint64_t events)
{
	uint32_t *slot;

	if (likely(next.glibc) || !thread_self || thread_self->events == events)
		return false;
	slot = slot_at(p);
	return slot && *slot;
}

#endif
