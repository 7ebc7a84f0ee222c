/* SPDX-License-Identifier: MIT */
/*
 * heap.c - the library's own memory: a private jemalloc that shares nothing with the program's
 * allocator, behind a lock: it takes all for one thread. Signals are blocked inside, since a
 * handler may never come back. It begins with 10 MiB of address space, so a program of one thread
 * has none of it.
 */
#include "preload/sys/heap.h"
#include "preload/jemalloc/private_jemalloc.h"

#include <errno.h>

struct lock heap_lock;

/* Under heap_lock. A jemalloc that couldn't begin waits for ever, when it is asked again, for whoever
 * is at it. */
static enum { HEAP_UNUSED, HEAP_BEGUN, HEAP_DEAD } state;

/* False: there is no memory for it. */
static bool enter(int *saved)
{
	lock_take(&heap_lock);
	*saved = errno;
	return state != HEAP_DEAD && mtje_enter();
}

static void leave(int saved)
{
	errno = saved;
	lock_drop(&heap_lock);
}

bool heap_init(void)
{
	void *p = heap_alloc(64);

	heap_free(p);
	return p != NULL;
}

/* Whole pairs of cache lines, so that no two threads write to the same one (and no prefetcher takes
 * them for neighbours). */
void *heap_alloc(size_t size)
{
	size_t rounded = (size + 127) & ~(size_t)127;
	void *p = NULL;
	int saved;

	if (enter(&saved)) {
		p = mtje_mallocx(rounded ? rounded : 128, MTJE_ZERO | MTJE_ALIGN(128));
		if (state == HEAP_UNUSED)
			store_relaxed(&state, p ? HEAP_BEGUN : HEAP_DEAD);
	}
	leave(saved);
	return p;
}

void heap_free(void *p)
{
	int saved;

	if (!p)
		return;
	if (enter(&saved))
		mtje_dallocx(p, 0);
	leave(saved);
}

static size_t ask_used(void)
{
	uint64_t epoch = 1;
	size_t used, size = sizeof(used);
	int saved = errno;
	bool known;

	known = mtje_enter() && mtje_mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) == 0 &&
		mtje_mallctl("stats.allocated", &used, &size, NULL, 0) == 0;
	errno = saved;
	return known ? used : 0;
}

/* A debugger may have stopped who holds the lock. */
size_t heap_used(void)
{
	static size_t last;

	if (load_relaxed(&state) != HEAP_BEGUN || !lock_try(&heap_lock))
		return load_relaxed(&last);
	store_relaxed(&last, ask_used());
	lock_drop(&heap_lock);
	return load_relaxed(&last);
}
