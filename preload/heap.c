/*
 * heap.c - the library's own memory: a private jemalloc that shares nothing with the program's
 * allocator. Signals are blocked inside, since a handler may never come back: jemalloc has locks.
 */
#include "preload/internal.h"
#include "preload/jemalloc/private_jemalloc.h"

#include <errno.h>

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
	struct signals signals = signals_block();
	int saved = errno;
	void *p = mtje_mallocx((size + 127) & ~(size_t)127 ? (size + 127) & ~(size_t)127 : 128,
		MTJE_ZERO | MTJE_ALIGN(128));

	errno = saved;
	signals_restore(signals);
	return p;
}

void heap_free(void *p)
{
	struct signals signals;
	int saved = errno;

	if (!p)
		return;
	signals = signals_block();
	mtje_dallocx(p, 0);
	errno = saved;
	signals_restore(signals);
}

size_t heap_used(void)
{
	uint64_t epoch = 1;
	size_t used = 0, size = sizeof(used);

	mtje_mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	return mtje_mallctl("stats.allocated", &used, &size, NULL, 0) == 0 ? used : 0;
}
