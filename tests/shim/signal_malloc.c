/* SPDX-License-Identifier: MIT */
/*
 * signal_malloc.c - an allocator that may be called in signal handlers which interrupt it: it only ever goes forward,
 * by one atomic addition. Linked to async_safe (see async.c).
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define AREA ((size_t)4 << 30)

static char *area;
static size_t used;

static char *make_area(void)
{
	char *old = NULL;
	char *new = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!__atomic_compare_exchange_n(&area, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		munmap(new, AREA);
		return old;
	}
	return new;
}

/* Each block has its size in front. */
void *memalign(size_t alignment, size_t size)
{
	char *start = __atomic_load_n(&area, __ATOMIC_SEQ_CST);
	size_t room = ((size + 15) & ~(size_t)15) + 16 + (alignment > 16 ? alignment : 0);
	size_t at = __atomic_fetch_add(&used, room, __ATOMIC_SEQ_CST);
	char *p;

	if (!start)
		start = make_area();
	if (at + room > AREA) {
		errno = ENOMEM;
		return NULL;
	}
	p = start + at + 16;
	if (alignment > 16)
		p = (char *)(((uintptr_t)p + alignment - 1) & ~(alignment - 1));
	((size_t *)p)[-1] = size;
	return p;
}

void *malloc(size_t size)
{
	return memalign(16, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **to, size_t alignment, size_t size)
{
	*to = memalign(alignment, size);
	return *to ? 0 : ENOMEM;
}

void *calloc(size_t count, size_t size)
{
	return memalign(16, count * size); /* never used before, so zeros */
}

void free(void *p)
{
	(void)p;
}

size_t malloc_usable_size(void *p)
{
	return p ? ((size_t *)p)[-1] : 0;
}

void *realloc(void *p, size_t size)
{
	size_t had = malloc_usable_size(p);
	void *q = memalign(16, size);

	if (p && q)
		memcpy(q, p, had < size ? had : size);
	return q;
}
