/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a futex lock for the rare paths: new frames, nodes, sites and threads; and a brief one for
 * publishing.
 *
 * Leaf locks: nothing of the program's runs while one is held, so they can't take part in a
 * deadlock. That includes signal handlers, which may allocate, fork, or never come back (longjmp):
 * signals are blocked meanwhile. Fork takes all locks (fork.c lists the order), so a child never
 * inherits a held one.
 */
#ifndef MTRACE_LOCK_H
#define MTRACE_LOCK_H

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "preload/sys/atomic.h"

/* The thread's signals, as they were before all were blocked. */
struct signals {
	uint64_t mask;
	bool blocked; /* they were */
};

struct lock {
	uint32_t word;		/* 0 free, 1 held, 2 held and somebody may wait */
	struct signals signals; /* the holder's */
};

/* false: the program has forbidden itself to (seccomp.h), and lives without. */
extern bool lock_masks __attribute__((visibility("hidden")));

/* A system call that leaves errno alone: the caller of malloc must not see it change. */
static inline long lock_call(long number, long a, long b, long c, long d)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#else
	return syscall(number, a, b, c, d);
#endif
}

static inline struct signals signals_block(void)
{
	const uint64_t all = ~0ull;
	struct signals before = { 0, load_relaxed(&lock_masks) };

	if (likely(before.blocked))
		lock_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before.mask,
			sizeof(before.mask));
	return before;
}

static inline void signals_restore(struct signals before)
{
	if (likely(before.blocked))
		lock_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before.mask, 0,
			sizeof(before.mask));
}

/* Where one thread alone is at work and takes many locks: signals are blocked once for all of them. */
static inline struct signals signals_block_for_all(void)
{
	struct signals before = signals_block();

	store_relaxed(&lock_masks, false);
	return before;
}

static inline void signals_restore_for_all(struct signals before)
{
	store_relaxed(&lock_masks, before.blocked);
	signals_restore(before);
}

/* With signals blocked already: for two locks one after the other. */
static inline void lock_enter(struct lock *l)
{
	uint32_t expected = 0;

	if (!compare_exchange_acquire(&l->word, &expected, 1))
		while (exchange_acquire(&l->word, 2) != 0)
			lock_call(SYS_futex, (long)&l->word, FUTEX_WAIT_PRIVATE, 2, 0);
}

static inline void lock_leave(struct lock *l)
{
	if (exchange_release(&l->word, 0) == 2)
		lock_call(SYS_futex, (long)&l->word, FUTEX_WAKE_PRIVATE, 1, 0);
}

/*
 * A brief lock is held for some tens of nanoseconds at a time, so often that two system calls would
 * be most of it: signals are not blocked. Its holder is known by its thread id, which is why it may
 * be taken again by a thread that a signal handler has led out of it. A handler that interrupts the
 * holder and then waits itself, or never comes back, makes others wait for a second at most: then
 * they take the lock away. Who is interrupted finishes what it did, beside them: so it may only
 * guard what stays usable then.
 */
#define LOCK_WAITERS (1u << 31) /* somebody may wait */
#define LOCK_TRIES 100

struct brief_lock {
	uint32_t word; /* 0 free, or the holder's thread id, perhaps with LOCK_WAITERS */
};

static inline bool lock_try_briefly(struct brief_lock *l, uint32_t tid)
{
	uint32_t expected = 0;

	return compare_exchange_acquire(&l->word, &expected, tid) ||
	       (expected & ~LOCK_WAITERS) == tid;
}

static __attribute__((__noinline__, cold, unused)) void lock_wait_briefly(
	struct brief_lock *l, uint32_t tid)
{
	static const struct timespec patience = { .tv_sec = 1 };
	uint32_t word;

	for (int i = 0; i < LOCK_TRIES; i++)
		if (load_relaxed(&l->word) == 0 && lock_try_briefly(l, tid))
			return;
	for (;;) {
		word = 0;
		if (compare_exchange_acquire(&l->word, &word, tid | LOCK_WAITERS))
			return;
		if (!(word & LOCK_WAITERS) &&
			!compare_exchange_relaxed(&l->word, &word, word | LOCK_WAITERS))
			continue;
		word |= LOCK_WAITERS;
		if (lock_call(SYS_futex, (long)&l->word, FUTEX_WAIT_PRIVATE, word,
			    (long)&patience) == -ETIMEDOUT &&
			compare_exchange_acquire(&l->word, &word, tid | LOCK_WAITERS))
			return;
	}
}

static inline void lock_take_briefly(struct brief_lock *l, uint32_t tid)
{
	if (unlikely(!lock_try_briefly(l, tid)))
		lock_wait_briefly(l, tid);
}

static inline void lock_drop_briefly(struct brief_lock *l, uint32_t tid)
{
	uint32_t expected = tid;

	if (likely(compare_exchange_release(&l->word, &expected, 0)))
		return;
	if (expected == (tid | LOCK_WAITERS) && compare_exchange_release(&l->word, &expected, 0))
		lock_call(SYS_futex, (long)&l->word, FUTEX_WAKE_PRIVATE, 1, 0);
}

static inline void lock_take(struct lock *l)
{
	struct signals signals = signals_block();

	lock_enter(l);
	l->signals = signals;
}

/* For who may have stopped anybody, and so waits for nobody. */
static inline bool lock_try(struct lock *l)
{
	struct signals signals = signals_block();
	uint32_t expected = 0;

	if (!compare_exchange_acquire(&l->word, &expected, 1)) {
		signals_restore(signals);
		return false;
	}
	l->signals = signals;
	return true;
}

static inline void lock_drop(struct lock *l)
{
	struct signals signals = l->signals;

	lock_leave(l);
	signals_restore(signals);
}

#endif
