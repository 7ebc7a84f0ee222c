/* SPDX-License-Identifier: MIT */
/*
 * clear.c - forgets what was recorded: mtrace_clear_traces().
 *
 * Slots and counters belong to the threads whose blocks they are, without a lock. So nobody may be in a
 * hook meanwhile. Who would enter sees `clearing` behind the mark that it is busy; on the fast path,
 * which doesn't look there, an allocation sees MT_ENABLED_LOOK, and a free of a lane that its grant
 * was taken: both behind that mark, too, and before they have changed anything. The kernel makes our
 * marks known to all CPUs (membarrier), and then whoever is busy is waited for. What happens meanwhile isn't
 * recorded: it is as if it had happened before.
 *
 * A realloc empties its block's slot before the real call, and isn't busy during that: it finds by the
 * number of clearings that what it had is none of the blocks that are counted now.
 */
#include "preload/libmtrace.h"
#include "preload/life/begin.h"
#include "preload/life/control.h"
#include "preload/life/enter.h"
#include "preload/store/ledger.h"
#include "preload/store/regions.h"
#include "preload/store/slots.h"
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/lock.h"
#include "preload/sys/os.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>

#define PATIENCE 1000000000u  /* ns that others may be in a hook */
#define NAP 50000	      /* ns between two looks */
#define UNTIL_STORED 10000000 /* ns after which a CPU's stores are known without membarrier */
#define CLEAN_LOOKS 2

static void nap(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	(void)os_call(SYS_nanosleep, &time, NULL);
}

static bool is_inside(const struct thread *t)
{
	return thread_state_is_busy(load_acquire(&t->state)) && !os_thread_is_gone((int)t->tid);
}

/* A debugger may let this thread run alone, and another one have stopped with a lock that is taken by
 * threads which aren't marked yet. */
static bool are_locks_free(void)
{
	return !load_relaxed(&regions_lock.word) && !load_relaxed(&timeline_lock.word) &&
	       !load_relaxed(&tables_lock.word);
}

static bool are_others_outside(const struct thread *self)
{
	if (!are_locks_free())
		return false;
	for (const struct thread *t = load_acquire(&threads_all); t; t = t->next_of_all)
		if (t != self && is_inside(t))
			return false;
	return true;
}

static void halt(void)
{
	or_relaxed(&trace.header->enabled, MT_ENABLED_LOOK);
	if (!are_locks_free() || !ledger_is_multi())
		return;
	ledger_halt();
	if (os_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) != 0)
		nap(UNTIL_STORED);
}

/* Twice: who was inside at the first look may have taken the marks off. */
static bool keep_others_out(const struct thread *self, uint64_t until)
{
	for (int clean = 0; clean < CLEAN_LOOKS; clean++) {
		halt();
		if (are_others_outside(self))
			continue;
		clean = -1;
		if (os_steady_time() > until)
			return false;
		nap(NAP);
	}
	return true;
}

static void forget_verdict(void)
{
	struct mt_header *h = trace.header;

	if (h->scan_state == MT_SCAN_RUNNING)
		return;
	store_release(&h->scan_state, MT_SCAN_NONE);
	h->tables[MT_LEAKS].count = h->tables[MT_HELD].count = 0;
}

static void forget_last(void)
{
	for (struct thread *t = threads_all; t; t = t->next_of_all) {
		t->last = NULL;
		t->last_slot = NULL;
	}
}

/* Nobody else is inside. Under the locks that a fork takes first, so a child has all of it or nothing. */
static void forget(void)
{
	lock_enter(&regions_lock);
	lock_enter(&timeline_lock);
	lock_enter(&tables_lock);
	add_seq_cst(&phase_clearings, 1);
	store_relaxed(&phase_was_stopped, true); /* blocks may be there of which nothing is known */
	slots_clear();
	regions_clear();
	ledger_clear();
	timeline_clear();
	forget_last();
	forget_verdict();
	add_seq_cst(&phase_clearings, 1);
	lock_leave(&tables_lock);
	lock_leave(&timeline_lock);
	lock_leave(&regions_lock);
}

static bool clear(const struct thread *self, uint64_t until)
{
	bool alone;

	phase_advance();
	alone = keep_others_out(self, until);
	if (alone)
		forget();
	phase_cleared = alone ? phase_advance() : phase_cleared;
	store_release(&phase_page.clearing, 0);
	return alone;
}

/* One thread at a time. */
static bool begin(void)
{
	uint32_t expected = 0;

	return compare_exchange_acquire(&phase_page.clearing, &expected, 1);
}

/* With signals blocked. */
static bool clear_in_time(uintptr_t sp)
{
	uint64_t until = os_steady_time() + PATIENCE;
	bool done = false, tried = false;

	while (!tried && os_steady_time() <= until) {
		struct thread *t = control_enter(sp);

		if (!t && !thread_may_enter(sp))
			return false;
		tried = t && begin();
		if (tried)
			done = clear(t, until);
		else
			nap(NAP);
		if (t)
			thread_leave(t);
	}
	return done;
}

MTRACE_EXPORT int mtrace_clear_traces(void)
{
	struct signals signals;
	bool done;

	if (!phase_ready())
		return 0;
	signals = signals_block();
	done = clear_in_time((uintptr_t)__builtin_frame_address(0));
	signals_restore(signals);
	return done ? 0 : -1;
}
