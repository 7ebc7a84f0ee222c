/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - atomics whose names say the memory order, so that a grep audits the design.
 *
 * Most shared state has a single writer (a slot belongs to the owner of its block, a lane to its
 * thread), and needs no more than relaxed accesses that the compiler must not tear or invent.
 */
#ifndef MTRACE_ATOMIC_H
#define MTRACE_ATOMIC_H

#define load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define load_seq_cst(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define store_seq_cst(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)

/* Give the value from before the change; add_fetch and subtract_fetch the one after it. */
#define add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define subtract_relaxed(p, v) __atomic_fetch_sub(p, v, __ATOMIC_RELAXED)
#define or_relaxed(p, v) __atomic_fetch_or(p, v, __ATOMIC_RELAXED)
#define and_relaxed(p, v) __atomic_fetch_and(p, v, __ATOMIC_RELAXED)
#define add_acq_rel(p, v) __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define add_seq_cst(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define add_fetch_acq_rel(p, v) __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL)
#define add_fetch_seq_cst(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define subtract_fetch_seq_cst(p, v) __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define exchange_acquire(p, v) __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define exchange_release(p, v) __atomic_exchange_n(p, v, __ATOMIC_RELEASE)

/* Stores v where *expected is found; else *expected becomes what was found. The weak one may fail
 * for nothing: for loops. */
#define compare_exchange_relaxed(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define compare_exchange_weak_relaxed(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define compare_exchange_acquire(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define compare_exchange_release(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define compare_exchange_acq_rel(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

#define full_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Keeps the compiler (not the CPU) from moving memory accesses across: enough between a thread and
 * its own signal handlers. */
#define signal_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A function of the program's, or of its allocator, that ours stands in front of. */
#define HOOK __attribute__((visibility("default")))
#define cold_path __attribute__((__noinline__, cold))
#define always_inline inline __attribute__((always_inline))

#endif
