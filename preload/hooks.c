/*
 * hooks.c - the malloc family. One shape for all: call the next definition, then record; or the
 * reverse where the block goes away (record.h says why). Nothing of ours is held or marked while
 * the next definition runs.
 */
#include "preload/next.h"
#include "preload/record.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define HOOK __attribute__((visibility("default")))

/* C23, not declared by all C libraries. */
HOOK void free_sized(void *p, size_t size);
HOOK void free_aligned_sized(void *p, size_t alignment, size_t size);

/* Is the next definition known? It isn't for what the loader and dlsym allocate before our
 * constructor. */
#define READY(function) (likely(next.function != NULL) || (next_resolve(), next.function != NULL))

static always_inline void record_if_new(void *p, size_t size, struct cpu_frame at, void *last)
{
	if (likely(p) && !record_was_nested(p, last))
		record_new(p, size, at);
}

/*
 * malloc and free come in two tiers. The hook itself records the common case without calling
 * anything but the real function; for everything else it jumps to the second tier, which sees the
 * hook's caller as its own.
 */
static __attribute__((__noinline__)) void *malloc_recorded(void *p, size_t size)
{
	if (likely(p))
		record_new(p, size, CPU_CALLER());
	return p;
}

static cold_path void *malloc_anyhow(size_t size)
{
	void *last, *p;

	if (!READY(malloc))
		return boot_alloc(size, 16);
	last = record_last();
	p = next.malloc(size);
	if (likely(record_skips(size)))
		return p;
	record_if_new(p, size, CPU_CALLER(), last);
	return p;
}

HOOK void *malloc(size_t size)
{
	void *p;

	if (unlikely(!next.plain))
		return malloc_anyhow(size);
	p = next.malloc(size);
	if (likely(record_new_fast(p, size, CPU_CALLER())))
		return p;
	return malloc_recorded(p, size);
}

HOOK void *calloc(size_t count, size_t size)
{
	void *last, *p;
	size_t bytes;

	if (unlikely(!READY(calloc)))
		return __builtin_mul_overflow(count, size, &bytes) ? NULL : boot_alloc(bytes, 16);
	last = record_last();
	p = next.calloc(count, size);
	record_if_new(p, count * size, CPU_CALLER(), last);
	return p;
}

static __attribute__((__noinline__)) void free_anyhow(void *p)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	record_gone(p, CPU_CALLER());
	if (READY(free))
		next.free(p);
}

HOOK void free(void *p)
{
	if (likely(next.plain) && likely(record_gone_fast(p, CPU_CALLER().sp)))
		next.free(p);
	else
		free_anyhow(p);
}

HOOK void free_sized(void *p, size_t size)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	record_gone(p, CPU_CALLER());
	if (READY(free) && next.free_sized)
		next.free_sized(p, size);
	else if (next.free)
		next.free(p);
}

HOOK void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	record_gone(p, CPU_CALLER());
	if (READY(free) && next.free_aligned_sized)
		next.free_aligned_sized(p, alignment, size);
	else if (next.free)
		next.free(p);
}

/* A block from before the next definitions were known moves to the real heap. */
static cold_path void *move_boot_block(void *p, size_t size)
{
	size_t had = boot_size(p);
	void *q = READY(malloc) ? next.malloc(size) : boot_alloc(size, 16);

	if (q)
		memcpy(q, p, had < size ? had : size);
	return q;
}

static inline void *resize(void *p, size_t size, struct cpu_frame at)
{
	void *last;
	struct block b;
	void *q;

	if (unlikely(boot_owns(p)))
		return move_boot_block(p, size);
	if (unlikely(!READY(realloc)))
		return p ? NULL : boot_alloc(size, 16);
	last = record_last();
	if (!p) {
		q = next.realloc(NULL, size);
		record_if_new(q, size, at, last);
		return q;
	}
	b = record_take(p);
	q = next.realloc(p, size);
	if (unlikely(!q && size != 0))
		record_put_back(p, b);
	else if (likely(!record_was_nested(q, last)))
		record_moved(p, b, q, size, at);
	return q;
}

HOOK void *realloc(void *p, size_t size)
{
	return resize(p, size, CPU_CALLER());
}

HOOK void *reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	return resize(p, bytes, CPU_CALLER());
}

HOOK void *memalign(size_t alignment, size_t size)
{
	void *last;
	void *p;

	if (unlikely(!READY(memalign)))
		return boot_alloc(size, alignment);
	last = record_last();
	p = next.memalign(alignment, size);
	record_if_new(p, size, CPU_CALLER(), last);
	return p;
}

HOOK int posix_memalign(void **to, size_t alignment, size_t size)
{
	void *last;
	int error;

	if (unlikely(!READY(posix_memalign))) {
		*to = boot_alloc(size, alignment);
		return *to ? 0 : ENOMEM;
	}
	last = record_last();
	error = next.posix_memalign(to, alignment, size);
	if (error == 0)
		record_if_new(*to, size, CPU_CALLER(), last);
	return error;
}

/* What operator new was asked for, if it is what calls: the size of the call is that, rounded up.
 */
static size_t take_asked(size_t alignment, size_t size)
{
	size_t asked = thread_self->asked;

	if (likely(!asked))
		return size;
	thread_self->asked = 0;
	asked--;
	return alignment && size % alignment == 0 && (size - asked < alignment || asked == 0)
		       ? asked
		       : size;
}

HOOK void *aligned_alloc(size_t alignment, size_t size)
{
	void *last;
	void *p;

	if (unlikely(!READY(aligned_alloc)))
		return boot_alloc(size, alignment);
	last = record_last();
	p = next.aligned_alloc(alignment, size);
	record_if_new(p, take_asked(alignment, size), CPU_CALLER(), last);
	return p;
}

HOOK void *valloc(size_t size)
{
	void *last;
	void *p;

	if (unlikely(!READY(valloc)))
		return boot_alloc(size, os_page_size());
	last = record_last();
	p = next.valloc(size);
	record_if_new(p, size, CPU_CALLER(), last);
	return p;
}

HOOK void *pvalloc(size_t size)
{
	void *last;
	void *p;

	if (unlikely(!READY(pvalloc)))
		return boot_alloc(size, os_page_size());
	last = record_last();
	p = next.pvalloc(size);
	record_if_new(p, size, CPU_CALLER(), last);
	return p;
}

HOOK size_t malloc_usable_size(void *p)
{
	if (unlikely(boot_owns(p)))
		return boot_size(p);
	return READY(malloc_usable_size) ? next.malloc_usable_size(p) : 0;
}
