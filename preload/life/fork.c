/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a child gets a trace of its own that begins as a copy of its parent's.
 *
 * Before the fork all locks are taken, in the order regions_lock, tables_lock, ledger_lock,
 * unwind_lock, heap_lock, and what the parent goes on changing is copied. The child inherits the copy and free
 * locks. It makes its file at its first event, since most children execute another program right
 * away. Our handlers were registered first, so they run next to the fork itself: other libraries'
 * handlers find everything working.
 */
#include "preload/life/fork.h"
#include "preload/leakscan/roots.h"
#include "preload/leakscan/snapshot.h"
#include "preload/life/thread_life.h"
#include "preload/store/ledger.h"
#include "preload/store/regions.h"
#include "preload/store/snapshots.h"
#include "preload/store/thread.h"
#include "preload/store/timeline.h"
#include "preload/sys/env.h"
#include "preload/sys/heap.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/seccomp.h"
#include "preload/unwind/modules.h"
#include "preload/unwind/rules.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

static struct tracefile_copy
	*copy; /* between the handlers, under the locks; in a child until its first event */

/* What the forking thread found before it forked; two threads may fork at a time. */
static __thread enum {
	FORK_UNTRACED,
	FORK_PREPARED, /* it holds the locks */
	FORK_INHERITS, /* itself a child without a trace of its own yet: hands its inheritance on */
} forking __attribute__((tls_model("initial-exec")));

static uint32_t ledger_holder; /* between the handlers; of ledger_hold() */

static struct signals signals; /* as they were before */

static void take_locks(void)
{
	struct signals before = signals_block();

	lock_enter(&regions_lock);
	signals = before;
	lock_enter(&timeline_lock);
	lock_enter(&tables_lock);
	ledger_holder = ledger_hold();
	lock_enter(&unwind_lock);
	lock_enter(&heap_lock);
}

static void drop_locks(void)
{
	struct signals before = signals;

	lock_leave(&heap_lock);
	lock_leave(&unwind_lock);
	ledger_release(ledger_holder);
	lock_leave(&tables_lock);
	lock_leave(&timeline_lock);
	lock_leave(&regions_lock);
	signals_restore(before);
}

static void before_fork(void)
{
	struct thread *t = thread_mine();

	roots_before_fork();
	forking = phase_page.phase == PHASE_FORKED ? FORK_INHERITS : FORK_UNTRACED;
	/* Busy: a signal handler that interrupted a hook forks. The hook may hold a lock. */
	if (phase_page.phase != PHASE_ON || thread_is_busy(t))
		return;
	if (t != &thread_nobody)
		t->state = THREAD_HELD;
	take_locks();
	copy = config.follow && seccomp_allows_child() ? tracefile_copy() : NULL;
	forking = FORK_PREPARED;
}

static void release(void)
{
	forking = FORK_UNTRACED;
	drop_locks();
	if (thread_mine() != &thread_nobody)
		thread_leave(thread_mine());
}

static void after_fork_in_parent(void)
{
	struct tracefile_copy *mine = copy;

	if (forking != FORK_PREPARED)
		return;
	copy = NULL;
	release();
	tracefile_copy_free(mine);
}

static void after_fork_in_child(void)
{
	int saved = errno;

	os_forked();
	modules_forked();
	timeline_forked();
	bool will_trace = forking != FORK_UNTRACED && copy;
	bool was_traced = trace.header != NULL && phase_was_set();

	phase_set(will_trace ? PHASE_FORKED : phase_was_set() ? PHASE_NEVER : PHASE_OFF);
	if (forking == FORK_PREPARED)
		release();
	if (!will_trace && was_traced)
		tracefile_leave();
	errno = saved;
}

void fork_begin_child(void)
{
	struct tracefile_copy *mine = copy;
	struct thread *t = thread_mine();
	int saved = errno;

	/* Until it is done, events of this very code pass through. */
	phase_set(PHASE_NEVER);
	copy = NULL;
	if (mine && seccomp_allows_child() && tracefile_fork(mine)) {
		ledger_forked();
		threads_forked(t);
		snapshot_forked();
		timeline_begin();
		snapshots_forked();
		phase_set(PHASE_ON);
	} else {
		tracefile_leave();
	}
	tracefile_copy_free(mine);
	errno = saved;
}

/* What pthread_atfork() is made of. */
extern int __register_atfork(
	void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso);
extern void *__dso_handle __attribute__((visibility("hidden")));

bool fork_init(void)
{
#ifdef MADV_WIPEONFORK
	/* Without it (Linux before 4.14) only raw clones are unprotected. */
	(void)os_call(SYS_madvise, &phase_page, sizeof(phase_page),
		MADV_WIPEONFORK); /* not by our hook */
#endif
	return __register_atfork(
		       before_fork, after_fork_in_parent, after_fork_in_child, __dso_handle) == 0;
}
