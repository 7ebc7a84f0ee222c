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
#define add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)

/* Keeps the compiler (not the CPU) from moving memory accesses across: enough between a thread and
 * its own signal handlers. */
#define signal_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define cold_path __attribute__((__noinline__, cold))
#define always_inline inline __attribute__((always_inline))

#endif
