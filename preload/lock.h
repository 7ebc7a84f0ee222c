/*
 * lock.h - a futex lock for the rare paths: new frames, nodes, sites, threads, and publishing.
 *
 * Leaf locks: nothing is called out to while one is held, so they can't take part in a deadlock.
 * Fork takes them all (fork.c lists the order), so a child never inherits a held one.
 */
#ifndef MTRACE_LOCK_H
#define MTRACE_LOCK_H

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/atomic.h"

struct lock {
	uint32_t word; /* 0 free, 1 held, 2 held and somebody may wait */
};

static inline long lock_futex(uint32_t *word, int op, uint32_t value)
{
	/* Not errno's business: the caller of malloc must not see it change. */
	long result;
#ifdef __x86_64__
	register long r10 __asm__("r10") = 0;
	__asm__ volatile(
		"syscall"
		: "=a"(result)
		: "0"((long)SYS_futex), "D"(word), "S"((long)op), "d"((long)value), "r"(r10)
		: "rcx", "r11", "memory");
#else
	result = syscall(SYS_futex, word, op, value, NULL);
#endif
	return result;
}

static inline void lock_take(struct lock *l)
{
	uint32_t expected = 0;

	if (__atomic_compare_exchange_n(
		    &l->word, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE) != 0)
		lock_futex(&l->word, FUTEX_WAIT_PRIVATE, 2);
}

static inline void lock_drop(struct lock *l)
{
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		lock_futex(&l->word, FUTEX_WAKE_PRIVATE, 1);
}

#endif
