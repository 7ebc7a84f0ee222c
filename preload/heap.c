/*
 * heap.c - the library's own memory: a private jemalloc that shares nothing with the program's
 * allocator, behind a lock: it takes all for one thread. Signals are blocked inside, since a
 * handler may never come back.
 */
#include "preload/internal.h"
#include "preload/jemalloc/private_jemalloc.h"

#include <errno.h>

struct lock heap_lock;

/* What was errno. */
static int enter(void)
{
	lock_take(&heap_lock);
	mtje_enter();
	return errno;
}

static void leave(int saved)
{
	errno = saved;
	lock_drop(&heap_lock);
}

bool heap_init(void)
{
	void *p = heap_alloc(64); /* sets jemalloc up while there is one thread */

	heap_free(p);
	return p != NULL;
}

/* Whole pairs of cache lines, so that no two threads write to the same one (and no prefetcher takes
 * them for neighbours). */
void *heap_alloc(size_t size)
{
	int saved = enter();
	void *p = mtje_mallocx((size + 127) & ~(size_t)127 ? (size + 127) & ~(size_t)127 : 128,
		MTJE_ZERO | MTJE_ALIGN(128));

	leave(saved);
	return p;
}

void heap_free(void *p)
{
	int saved;

	if (!p)
		return;
	saved = enter();
	mtje_dallocx(p, 0);
	leave(saved);
}

size_t heap_used(void)
{
	uint64_t epoch = 1;
	size_t used = 0, size = sizeof(used);
	int saved = enter(), failed;

	mtje_mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	failed = mtje_mallctl("stats.allocated", &used, &size, NULL, 0);
	leave(saved);
	return failed ? 0 : used;
}
